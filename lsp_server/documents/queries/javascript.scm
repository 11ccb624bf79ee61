(class_declaration name: (identifier) @name body: (class_body) @body) @definition.class
(function_declaration name: (identifier) @name body: (statement_block) @body) @definition.function
(generator_function_declaration name: (identifier) @name body: (statement_block) @body) @definition.function
(method_definition name: (_) @name body: (statement_block) @body) @definition.method
(class_body member: (field_definition property: (_) @name) @definition.field)
(program (lexical_declaration (variable_declarator name: (identifier) @name value: (arrow_function body: (_) @body))) @definition.function)
(program (lexical_declaration (variable_declarator name: (identifier) @name value: (function_expression body: (_) @body))) @definition.function)
(program (export_statement (lexical_declaration (variable_declarator name: (identifier) @name value: (arrow_function body: (_) @body))) @definition.function))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier) @name value: (function_expression body: (_) @body))) @definition.function))
(program (lexical_declaration (variable_declarator name: (identifier) @name)) @definition.variable)
(program (variable_declaration (variable_declarator name: (identifier) @name)) @definition.variable)
(program (export_statement (lexical_declaration (variable_declarator name: (identifier) @name)) @definition.variable))

(class_declaration body: (_) @scope.body) @scope
(function_declaration body: (_) @scope.body) @scope
(generator_function_declaration body: (_) @scope.body) @scope
(method_definition body: (_) @scope.body) @scope
(variable_declarator value: (arrow_function body: (statement_block) @scope.body)) @scope
(variable_declarator value: (function_expression body: (statement_block) @scope.body)) @scope

(import_statement source: (string) @module) @import
(import_statement (import_clause (identifier) @default) source: (string) @module) @import
(import_statement (import_clause (namespace_import (identifier) @alias)) source: (string) @module) @import
(import_statement
  (import_clause (named_imports (import_specifier name: (identifier) @name alias: (identifier)? @alias)))
  source: (string) @module) @import
(export_statement source: (string) @module) @reexport
(export_statement (export_clause (export_specifier name: (identifier) @name)) source: (string) @module) @reexport
(variable_declarator
  name: (identifier) @alias
  value: (call_expression function: (identifier) @require arguments: (arguments (string) @module))) @import
(variable_declarator
  name: (object_pattern (shorthand_property_identifier_pattern) @name)
  value: (call_expression function: (identifier) @require arguments: (arguments (string) @module))) @import

(identifier) @reference
(property_identifier) @reference

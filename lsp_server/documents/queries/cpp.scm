(function_definition declarator: (_) @declarator body: (compound_statement) @body) @definition.function
(declaration declarator: (function_declarator) @declarator) @definition.function
(declaration declarator: (pointer_declarator declarator: (function_declarator)) @declarator) @definition.function
(struct_specifier name: (type_identifier) @name body: (field_declaration_list) @body) @definition.struct
(union_specifier name: (type_identifier) @name body: (field_declaration_list) @body) @definition.struct
(enum_specifier name: (type_identifier) @name body: (enumerator_list)) @definition.enum
(field_declaration_list (field_declaration declarator: (_) @declarator) @definition.field)
(enumerator name: (identifier) @name) @definition.constant
(type_definition type: (struct_specifier body: (_) @body) declarator: (_) @declarator) @definition.type
(type_definition declarator: (_) @declarator) @definition.type
(preproc_def name: (identifier) @name) @definition.macro
(preproc_function_def name: (identifier) @name) @definition.macro
(translation_unit (declaration declarator: (identifier) @declarator) @definition.variable)
(translation_unit (declaration declarator: (init_declarator) @declarator) @definition.variable)

(function_definition body: (_) @scope.body) @scope
(struct_specifier body: (_) @scope.body) @scope

(preproc_include path: (_) @module) @import

(identifier) @reference
(type_identifier) @reference
(field_identifier) @reference

(class_specifier name: (_) @name body: (field_declaration_list) @body) @definition.class
(class_specifier body: (_) @scope.body) @scope
(namespace_definition name: (_) @name body: (declaration_list) @body) @definition.module
(namespace_definition body: (_) @scope.body) @scope
(declaration declarator: (reference_declarator (function_declarator)) @declarator) @definition.function
(alias_declaration name: (type_identifier) @name) @definition.type
(concept_definition name: (identifier) @name) @definition.type

(class_declaration name: (identifier) @name body: (class_body) @body) @definition.class
(interface_declaration name: (identifier) @name body: (interface_body) @body) @definition.interface
(record_declaration name: (identifier) @name body: (class_body) @body) @definition.class
(enum_declaration name: (identifier) @name body: (enum_body) @body) @definition.enum
(annotation_type_declaration name: (identifier) @name body: (_) @body) @definition.interface
(method_declaration name: (identifier) @name body: (block) @body) @definition.method
(method_declaration name: (identifier) @name !body) @definition.method
(constructor_declaration name: (identifier) @name body: (_) @body) @definition.method
(field_declaration declarator: (variable_declarator name: (identifier) @name)) @definition.field
(enum_constant name: (identifier) @name) @definition.constant

(class_declaration body: (_) @scope.body) @scope
(interface_declaration body: (_) @scope.body) @scope
(record_declaration body: (_) @scope.body) @scope
(enum_declaration body: (_) @scope.body) @scope
(method_declaration body: (_) @scope.body) @scope
(constructor_declaration body: (_) @scope.body) @scope

(import_declaration (scoped_identifier) @module (asterisk)? @everything) @import
(package_declaration (_) @package)

(identifier) @reference
(type_identifier) @reference

(function_item name: (identifier) @name body: (block) @body) @definition.function
(function_signature_item name: (identifier) @name) @definition.function
(struct_item name: (type_identifier) @name body: (field_declaration_list) @body) @definition.struct
(struct_item name: (type_identifier) @name) @definition.struct
(union_item name: (type_identifier) @name body: (field_declaration_list) @body) @definition.struct
(enum_item name: (type_identifier) @name) @definition.enum
(trait_item name: (type_identifier) @name body: (declaration_list) @body) @definition.interface
(impl_item type: [(type_identifier) @container (generic_type type: (type_identifier) @container)] body: (declaration_list) @body) @inside
(mod_item name: (identifier) @name body: (declaration_list) @body) @definition.module
(field_declaration_list (field_declaration name: (field_identifier) @name) @definition.field)
(const_item name: (identifier) @name) @definition.constant
(static_item name: (identifier) @name) @definition.variable
(type_item name: (type_identifier) @name) @definition.type
(macro_definition name: (identifier) @name) @definition.macro

(function_item body: (_) @scope.body) @scope
(impl_item body: (_) @scope.body) @scope
(trait_item body: (_) @scope.body) @scope
(mod_item body: (_) @scope.body) @scope
(struct_item body: (_) @scope.body) @scope

(use_declaration argument: (_) @module) @import
(mod_item name: (identifier) @module !body) @import

(identifier) @reference
(type_identifier) @reference
(field_identifier) @reference

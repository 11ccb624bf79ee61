"""The keys of a `bailingmoe` GGUF: what llama.cpp needs to build the graph, the tokenizer and the chat prompt."""

from __future__ import annotations

from gguf import GGUFWriter, LlamaFileType

from models.shapes import Shape
from models.vocabulary import BEGIN_OF_TEXT, END_OF_TEXT, Vocabulary

PRE_TOKENIZER = "bailingmoe"

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% set role = message['role'] | lower %}"
    "{% if role == 'user' %}{% set role = 'HUMAN' %}{% endif %}"
    "{% set role = role | upper %}"
    "{{ '<role>' + role + '</role>' + message['content'] }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<role>ASSISTANT</role>' }}{% endif %}"
)
"""Ling-Coder-Lite's template: nothing between turns, no default system prompt, no begin-of-text token."""


def add_metadata(writer: GGUFWriter, shape: Shape, vocabulary: Vocabulary, name: str, file_type: LlamaFileType) -> None:
    """Adds every key but the architecture, which the writer adds by itself."""
    writer.add_type("model")
    writer.add_name(name)
    writer.add_description("Random weights, for tests and measurements. It has learned nothing.")
    writer.add_file_type(file_type)
    writer.add_quantization_version(2)
    _add_sizes(writer, shape)
    _add_attention(writer, shape)
    _add_experts(writer, shape)
    _add_tokenizer(writer, vocabulary)


def _add_sizes(writer: GGUFWriter, shape: Shape) -> None:
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.context_length)
    writer.add_embedding_length(shape.embedding_length)
    writer.add_feed_forward_length(shape.feed_forward_length)
    writer.add_vocab_size(shape.vocabulary_size)


def _add_attention(writer: GGUFWriter, shape: Shape) -> None:
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(shape.rms_epsilon)
    writer.add_rope_dimension_count(shape.head_dim)
    writer.add_rope_freq_base(shape.rope_theta)


def _add_experts(writer: GGUFWriter, shape: Shape) -> None:
    writer.add_leading_dense_block_count(0)
    writer.add_expert_count(shape.experts)
    writer.add_expert_used_count(shape.experts_used)
    writer.add_expert_shared_count(shape.shared_experts)
    writer.add_expert_feed_forward_length(shape.expert_feed_forward_length)
    writer.add_expert_weights_scale(1.0)
    # Without this key a file loads all the same and computes something else.
    writer.add_expert_weights_norm(True)


def _add_tokenizer(writer: GGUFWriter, vocabulary: Vocabulary) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(PRE_TOKENIZER)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    writer.add_token_merges(vocabulary.merges)
    end_of_text = vocabulary.id_of(END_OF_TEXT)
    writer.add_bos_token_id(vocabulary.id_of(BEGIN_OF_TEXT))
    writer.add_eos_token_id(end_of_text)
    writer.add_pad_token_id(end_of_text)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)

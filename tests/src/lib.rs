//! Nothing: the tests are in `main.rs`. Here only the code of the embedding guide is compiled and run.

#[cfg(doctest)]
#[doc = include_str!("../../docs/embedding.md")]
struct EmbeddingGuide;

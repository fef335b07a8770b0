//! Nothing: the tests are in `main.rs`. Here only the code of the guides is compiled, and run.

#[cfg(doctest)]
#[doc = include_str!("../../docs/embedding.md")]
struct EmbeddingGuide;

#[cfg(doctest)]
#[doc = include_str!("../../docs/plugins.md")]
struct PluginGuide;

//! The orders, from the question to the document.

mod asking;
mod documents;

//! The kinds of cards that are known: a file each, with its source document on top.

pub mod piv;

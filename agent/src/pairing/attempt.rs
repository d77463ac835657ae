//! How a plugin is paired.

//! `save` and `audience`

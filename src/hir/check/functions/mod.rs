//! The functions of the standard library.

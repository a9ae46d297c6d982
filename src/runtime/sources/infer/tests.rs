//! What declarations are made from data.

//! What the calls of a run may spend, and what they have spent.

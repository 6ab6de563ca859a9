//! The first tokens of a reply, with what else was likely to stand in their places.

use serde::{Deserialize, Serialize};

/// One place of a reply: the token that stands there, and the likeliest ones with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenPlace {
    /// The token that the reply has.
    pub token: String,
    /// The likeliest tokens, the reply's own among them.
    pub likeliest: Vec<TokenChance>,
}

/// How likely one token was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenChance {
    /// The token.
    pub token: String,
    /// The natural logarithm of its probability.
    pub logprob: f64,
}

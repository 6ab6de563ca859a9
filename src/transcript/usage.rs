//! What a record's calls used, by role.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Completion, ModelRole};

/// Usage by role, in the order of the roles.
pub type UsageByRole = BTreeMap<ModelRole, RoleUsage>;

/// What the calls of one role used, whether they were paid for now or earlier.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RoleUsage {
    /// Completed calls.
    pub calls: u64,
    /// Completed calls whose reply said nothing of tokens; they are in no other sum.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unmetered: u64,
    /// Completed calls that asked again because an earlier reply could not be used, or was cut off.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub asked_again: u64,
    /// Tokens of prompts, cached ones included.
    pub input: u64,
    /// Tokens of prompts that a prefix cache served.
    pub cached: u64,
    /// Tokens of replies.
    pub output: u64,
    /// The price of those tokens, where the model has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl RoleUsage {
    /// Adds one completed call.
    pub fn add(&mut self, completion: &Completion) {
        self.calls += 1;
        match completion.usage {
            None => self.unmetered += 1,
            Some(usage) => {
                self.input += usage.input;
                self.cached += usage.cached;
                self.output += usage.output;
            }
        }
    }

    /// Adds what other calls of the role used.
    pub fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.unmetered += other.unmetered;
        self.asked_again += other.asked_again;
        self.input += other.input;
        self.cached += other.cached;
        self.output += other.output;
        if let Some(cost) = other.cost {
            *self.cost.get_or_insert(0.0) += cost;
        }
    }
}

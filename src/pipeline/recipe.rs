//! Recipes: which principles a round asks about, how, when to stop, what to keep.

use serde::{Deserialize, Serialize};

use super::Hold;

/// How records are worked on. `audit` and `cai` are presets; every knob can be set apart.
///
/// # Examples
///
/// ```
/// use redraft::pipeline::{Preset, Recipe};
///
/// let recipe = Recipe { rounds: 3, ..Recipe::preset(Preset::Audit) };
/// assert!(recipe.check().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// The most revisions.
    pub rounds: u32,
    /// Which principles a round asks about.
    pub principles: Principles,
    /// How a text is judged.
    pub critique: CritiqueStyle,
    /// When a new answer is asked for.
    pub revise: Revise,
    /// Which text is kept.
    pub keep: Keep,
    /// The most principles that one call asks about.
    pub principles_per_call: usize,
    /// How often a reply that breaks the critique contract, or is cut off, is asked for again.
    pub contract_retries: u32,
    /// How many examples of each principle the prompts show.
    pub few_shot: usize,
    /// Which records wait for a person; none, where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
}

/// A named recipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Every principle in every round, structured, until none is violated.
    #[default]
    Audit,
    /// One drawn principle a round, in the paper's chat, for a fixed number of rounds
    /// (Bai et al. 2022, arXiv 2212.08073, section 3.1).
    Cai,
}

impl Preset {
    /// The preset's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Cai => "cai",
        }
    }
}

/// Which principles a round asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Principles {
    /// All that apply.
    All,
    /// One, drawn with replacement, weighted, seeded by record and round.
    One,
}

/// How a text is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CritiqueStyle {
    /// Findings under the critique contract; critic and author are kept apart.
    Structured,
    /// Free text in the paper's chat.
    Text,
    /// Not at all: the revision is asked for directly (the paper's section 3.5).
    None,
}

/// When a new answer is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Revise {
    /// Where something is violated.
    Violated,
    /// In every round.
    Always,
}

/// Which text is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// The assessed text with the least severity-weighted violation; ties keep the later.
    Best,
    /// The last.
    Last,
}

impl Recipe {
    /// The recipe of that name.
    #[must_use]
    pub fn preset(preset: Preset) -> Self {
        let audit = Self {
            rounds: 2,
            principles: Principles::All,
            critique: CritiqueStyle::Structured,
            revise: Revise::Violated,
            keep: Keep::Best,
            principles_per_call: 16,
            contract_retries: 2,
            few_shot: 1,
            hold: None,
        };
        match preset {
            Preset::Audit => audit,
            Preset::Cai => Self {
                rounds: 4,
                principles: Principles::One,
                critique: CritiqueStyle::Text,
                revise: Revise::Always,
                keep: Keep::Last,
                ..audit
            },
        }
    }

    /// Whether each text, the last one too, is assessed by every principle: only then can a record
    /// be `compliant`.
    #[must_use]
    pub fn assesses_everything(&self) -> bool {
        self.principles == Principles::All && self.critique == CritiqueStyle::Structured
    }

    /// Whether the knobs fit together.
    ///
    /// # Errors
    ///
    /// Names the two that do not.
    pub fn check(&self) -> Result<(), RecipeError> {
        let structured = self.critique == CritiqueStyle::Structured;
        if self.revise == Revise::Violated && !structured {
            return Err(RecipeError(
                "`revise: violated` needs `critique: structured`: free text does not say what is violated",
            ));
        }
        if self.principles == Principles::All && !structured {
            return Err(RecipeError(
                "`principles: all` needs `critique: structured`: the paper's chat is about one principle",
            ));
        }
        if self.keep == Keep::Best && !self.assesses_everything() {
            return Err(RecipeError(
                "`keep: best` needs `principles: all`: texts compare only when all are judged by the same principles",
            ));
        }
        if self.principles_per_call == 0 {
            return Err(RecipeError("`principles_per_call` is at least 1"));
        }
        let sample = self.hold.as_ref().map_or(0.0, |hold| hold.sample);
        if !(0.0..=1.0).contains(&sample) {
            return Err(RecipeError("`hold: sample` is a share, from 0 to 1"));
        }
        Ok(())
    }
}

impl Default for Recipe {
    fn default() -> Self {
        Self::preset(Preset::default())
    }
}

/// Two knobs of a recipe do not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the recipe does not work: {0}")]
pub struct RecipeError(&'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_fit_together() {
        assert_eq!(Recipe::preset(Preset::Audit).check(), Ok(()));
        assert_eq!(Recipe::preset(Preset::Cai).check(), Ok(()));
    }

    #[test]
    fn knobs_that_contradict_each_other_are_refused() {
        let cai = Recipe::preset(Preset::Cai);
        for wrong in [
            Recipe {
                revise: Revise::Violated,
                ..cai.clone()
            },
            Recipe {
                principles: Principles::All,
                ..cai.clone()
            },
            Recipe {
                keep: Keep::Best,
                ..cai.clone()
            },
            Recipe {
                principles_per_call: 0,
                ..cai
            },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}

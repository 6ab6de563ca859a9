//! The recipe as settings write it: a preset, and knobs that differ from it.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::pipeline::{CritiqueStyle, Hold, Keep, Preset, Principles, Recipe, Revise};

/// A preset and the knobs that differ from it.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecipeSettings {
    /// The preset.
    pub preset: Option<Preset>,
    /// The most revisions.
    pub rounds: Option<u32>,
    /// Which principles a round asks about.
    pub principles: Option<Principles>,
    /// How a text is judged; `false` is `none`.
    #[serde(deserialize_with = "critique_style")]
    pub critique: Option<CritiqueStyle>,
    /// When a new answer is asked for.
    pub revise: Option<Revise>,
    /// Which text is kept.
    pub keep: Option<Keep>,
    /// The most principles that one call asks about.
    pub principles_per_call: Option<usize>,
    /// How often a reply that breaks the critique contract is asked for again.
    pub contract_retries: Option<u32>,
    /// How many examples of each principle the prompts show.
    pub few_shot: Option<usize>,
    /// Which records wait for a person.
    pub hold: Option<Hold>,
}

impl RecipeSettings {
    /// These settings, with what they leave open taken from `base`. Knobs belong to the preset
    /// they were written for: another preset leaves those of `base` behind.
    #[must_use]
    pub fn or(self, base: Self) -> Self {
        let base = match self.preset {
            Some(preset) if base.preset.unwrap_or_default() != preset => Self::default(),
            _ => base,
        };
        Self {
            preset: self.preset.or(base.preset),
            rounds: self.rounds.or(base.rounds),
            principles: self.principles.or(base.principles),
            critique: self.critique.or(base.critique),
            revise: self.revise.or(base.revise),
            keep: self.keep.or(base.keep),
            principles_per_call: self.principles_per_call.or(base.principles_per_call),
            contract_retries: self.contract_retries.or(base.contract_retries),
            few_shot: self.few_shot.or(base.few_shot),
            hold: self.hold.or(base.hold),
        }
    }

    /// The recipe.
    #[must_use]
    pub fn recipe(&self) -> Recipe {
        let preset = Recipe::preset(self.preset.unwrap_or_default());
        Recipe {
            rounds: self.rounds.unwrap_or(preset.rounds),
            principles: self.principles.unwrap_or(preset.principles),
            critique: self.critique.unwrap_or(preset.critique),
            revise: self.revise.unwrap_or(preset.revise),
            keep: self.keep.unwrap_or(preset.keep),
            principles_per_call: self
                .principles_per_call
                .unwrap_or(preset.principles_per_call),
            contract_retries: self.contract_retries.unwrap_or(preset.contract_retries),
            few_shot: self.few_shot.unwrap_or(preset.few_shot),
            hold: self.hold.clone().or(preset.hold),
        }
    }
}

fn critique_style<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<CritiqueStyle>, D::Error> {
    struct Form;

    impl Visitor<'_> for Form {
        type Value = Option<CritiqueStyle>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("`structured`, `text`, `none` or `false`")
        }

        fn visit_bool<E: de::Error>(self, wanted: bool) -> Result<Self::Value, E> {
            Ok(if wanted {
                None
            } else {
                Some(CritiqueStyle::None)
            })
        }

        fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
            let name = de::value::StrDeserializer::new(name);
            CritiqueStyle::deserialize(name).map(Some)
        }
    }

    deserializer.deserialize_any(Form)
}

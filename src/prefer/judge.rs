//! The judge: asks about a pair, principle by principle and in both orders, and adds up.

use std::num::NonZeroU32;
use std::sync::Arc;

use futures::future::{try_join, try_join_all};

use super::choose::{principles_for, tossed};
use super::critic::{Choice, Critic, LabelSource, LabelWish};
use super::label::{mean, rounded};
use super::question::Questions;
use super::{
    Clamp, Comparison, Label, OrderVote, Preference, PrincipleChoice, PrincipleVote, Side,
};
use crate::constitution::{Constitution, Principle};
use crate::digest::Digest;
use crate::model::journal::Journal;
use crate::model::{ChatRequest, Messages, ModelRole, Origin};
use crate::prompt::{PromptError, PromptSet};
use crate::round::{Cast, RoundError};

/// How pairs are compared.
#[derive(Clone, Debug)]
pub struct JudgeOptions {
    /// By which principles.
    pub principles: PrincipleChoice,
    /// What labels are made of.
    pub labels: LabelWish,
    /// How many replies a question gets where one does not tell enough: without log-probabilities,
    /// or with thoughts.
    pub votes: NonZeroU32,
    /// Whether a comparison in words comes before the choice, and within which bounds such a label
    /// is held.
    pub thoughts: Option<Clamp>,
    /// The seed of every draw.
    pub seed: u64,
}

/// A judge cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// A template is wrong.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// There is nobody to ask.
    #[error(
        "no model has the role critic, which compares the answers: give one with --model NAME, and \
         --base-url URL for a server of your own"
    )]
    NoCritic,
}

/// Compares answers by the principles of a constitution.
#[derive(Debug)]
pub struct Judge {
    pub(super) constitution: Constitution,
    pub(super) prompts: Arc<PromptSet>,
    pub(super) cast: Cast,
    pub(super) options: JudgeOptions,
    questions: Questions,
    critic: Critic,
}

impl Judge {
    /// A judge; what is found out about the critic is remembered in `journal`.
    ///
    /// # Errors
    ///
    /// When a template is wrong, or nobody has the role of the critic.
    pub fn new(
        constitution: Constitution,
        prompts: Arc<PromptSet>,
        cast: Cast,
        options: JudgeOptions,
        journal: Option<Arc<dyn Journal>>,
    ) -> Result<Self, JudgeError> {
        let critic = cast.critic.clone().ok_or(JudgeError::NoCritic)?;
        Ok(Self {
            questions: Questions::new(&constitution, &prompts, options.thoughts.is_some())?,
            critic: Critic::new(critic, options.labels, journal),
            constitution,
            prompts,
            cast,
            options,
        })
    }

    /// The constitution that decides.
    #[must_use]
    pub fn constitution(&self) -> &Constitution {
        &self.constitution
    }

    /// Whether answers can be drafted.
    #[must_use]
    pub fn can_draft(&self) -> bool {
        self.cast.drafter.is_some()
    }

    /// What the principles say of a pair: one preference, or one for each of them.
    ///
    /// # Errors
    ///
    /// When the critic gives no reply.
    pub async fn compare(&self, comparison: &Comparison) -> Result<Vec<Preference>, RoundError> {
        let JudgeOptions {
            principles, seed, ..
        } = self.options;
        let chosen = principles_for(&self.constitution, comparison, principles, seed);
        if chosen.is_empty() {
            let why = "no principle with a weight applies to it";
            return Ok(vec![Preference::without(Label::Incomparable, why)]);
        }
        let asked = chosen
            .iter()
            .map(|principle| self.ask(principle, comparison));
        let votes = try_join_all(asked).await?;
        let columns = &comparison.pair.columns;
        Ok(match principles {
            PrincipleChoice::Each => votes
                .into_iter()
                // By itself, a principle counts whatever its weight is.
                .map(|vote| PrincipleVote {
                    weight: 1.0,
                    ..vote
                })
                .map(|vote| Preference::of(vec![vote], columns))
                .collect(),
            PrincipleChoice::Drawn | PrincipleChoice::Ensemble => {
                vec![Preference::of(votes, columns)]
            }
        })
    }

    /// A side of the pair that a toss names.
    pub(super) fn tossed(&self, comparison: &Comparison) -> Side {
        tossed(comparison, self.options.seed)
    }

    async fn ask(
        &self,
        principle: &Principle,
        comparison: &Comparison,
    ) -> Result<PrincipleVote, RoundError> {
        let order = |first| self.ask_in_order(principle, comparison, first);
        let (one, other) = try_join(order(Side::A), order(Side::B)).await?;
        let weight = principle.weight;
        Ok(PrincipleVote::of(&principle.id, weight, [one, other]))
    }

    async fn ask_in_order(
        &self,
        principle: &Principle,
        comparison: &Comparison,
        first: Side,
    ) -> Result<OrderVote, RoundError> {
        let messages = self.questions.ask(principle, comparison, first)?;
        let choose = |sample| self.choose(comparison, messages.clone(), sample);
        let mut replies = vec![choose(0).await?];
        let by = replies[0].0.source;
        if by == LabelSource::Votes || self.questions.thinks() {
            let more = (1..self.options.votes.get()).map(choose);
            replies.extend(try_join_all(more).await?);
        }
        Ok(self.add_up(first, by, replies))
    }

    /// One choice, with the thoughts before it, and the calls that it took.
    async fn choose(
        &self,
        comparison: &Comparison,
        messages: Messages,
        sample: u32,
    ) -> Result<(Choice, Vec<Digest>), RoundError> {
        let request = |messages| ChatRequest {
            sampling: self.critic.assigned.sampling.clone(),
            sample,
            origin: Origin {
                home: comparison.content_digest().number(),
                place: comparison.place,
            },
            ..ChatRequest::new(messages)
        };
        let failed = |source| RoundError::Model {
            role: ModelRole::Critic,
            source,
        };
        let mut calls = Vec::new();
        let asked = if self.questions.thinks() {
            let thoughts = self.critic.think(&request(messages.clone())).await;
            let thoughts = thoughts.map_err(failed)?;
            calls.extend(thoughts.call);
            let said = thoughts.refusal.unwrap_or(thoughts.text);
            self.questions.ask_after(messages, &said)
        } else {
            messages
        };
        let choice = self.critic.choose(&request(asked)).await.map_err(failed)?;
        calls.extend(choice.completion.call);
        Ok((choice, calls))
    }

    /// The replies in one order as a vote on the pair.
    fn add_up(
        &self,
        first: Side,
        by: LabelSource,
        replies: Vec<(Choice, Vec<Digest>)>,
    ) -> OrderVote {
        let mut vote = OrderVote {
            first,
            soft: None,
            by,
            votes: Vec::new(),
            why: None,
            calls: Vec::new(),
        };
        let mut shares = Vec::new();
        for (choice, calls) in replies {
            vote.calls.extend(calls);
            match choice.share {
                Ok(of_first) => {
                    let share = match first {
                        Side::A => of_first,
                        Side::B => 1.0 - of_first,
                    };
                    vote.votes.push(Some(rounded(share)));
                    shares.push((share, 1.0));
                }
                Err(why) => {
                    vote.votes.push(None);
                    vote.why = Some(why);
                }
            }
        }
        vote.soft = mean(shares)
            .map(|share| {
                self.options
                    .thoughts
                    .map_or(share, |clamp| clamp.apply(share))
            })
            .map(rounded);
        vote
    }
}

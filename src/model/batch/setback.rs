//! How a row of a batch ends, and whether one that ended badly goes into another batch.

use crate::model::{Completion, ModelError, NotConnected, Retry};

/// How a row ended.
pub(in crate::model) type RowEnd = Result<Completion, Setback>;

/// A row without a usable reply.
#[derive(Debug)]
pub(in crate::model) enum Setback {
    /// The row itself failed; the error says whether it may be tried again.
    Failed(ModelError),
    /// The row has no result, for this reason; it may be tried again.
    Unfinished(&'static str),
    /// Somebody cancelled the batch before the row had a result.
    Cancelled,
    /// The batch was refused for reasons that are not this row's.
    Innocent,
    /// Everything that could be tried was tried.
    Final(ModelError),
}

impl Clone for Setback {
    fn clone(&self) -> Self {
        match self {
            Self::Failed(error) => Self::Failed(copy(error)),
            Self::Unfinished(why) => Self::Unfinished(why),
            Self::Cancelled => Self::Cancelled,
            Self::Innocent => Self::Innocent,
            Self::Final(error) => Self::Final(copy(error)),
        }
    }
}

/// The same error again: several calls may wait for one row, and all rows for one batch.
fn copy(error: &ModelError) -> ModelError {
    match error {
        ModelError::Connection { endpoint, source } => ModelError::Connection {
            endpoint: endpoint.clone(),
            source: if error.is_not_connected() {
                let cause = source.source().unwrap_or(source.as_ref());
                Box::new(NotConnected::new(cause.to_string()))
            } else {
                source.to_string().into()
            },
        },
        ModelError::Timeout {
            endpoint,
            which,
            limit,
        } => ModelError::Timeout {
            endpoint: endpoint.clone(),
            which: *which,
            limit: *limit,
        },
        ModelError::Status {
            endpoint,
            status,
            message,
            retry_after,
        } => ModelError::Status {
            endpoint: endpoint.clone(),
            status: *status,
            message: message.clone(),
            retry_after: *retry_after,
        },
        ModelError::OutOfMoney { endpoint, message } => ModelError::OutOfMoney {
            endpoint: endpoint.clone(),
            message: message.clone(),
        },
        ModelError::Outage { model, waited, why } => ModelError::Outage {
            model: model.clone(),
            waited: *waited,
            why: why.clone(),
        },
        ModelError::Closed { model } => ModelError::Closed {
            model: model.clone(),
        },
        ModelError::BudgetReached { what } => ModelError::BudgetReached { what: what.clone() },
        ModelError::ContextLength { message } => ModelError::ContextLength {
            message: message.clone(),
        },
        ModelError::Garbled { what } => ModelError::Garbled { what: what.clone() },
        ModelError::Unusable {
            model,
            hint,
            source,
        } => ModelError::Unusable {
            model: model.clone(),
            hint: hint.clone(),
            source: Box::new(copy(source)),
        },
        ModelError::Journal(error) => ModelError::Journal(crate::model::journal::JournalError(
            error.to_string().into(),
        )),
        ModelError::Other(text) => ModelError::Other(text.clone()),
    }
}

/// What one call has been through.
#[derive(Debug)]
pub(super) struct Tries {
    left: usize,
    cancelled: bool,
}

impl Tries {
    /// A call that may be in so many batches which do not answer it.
    pub(super) fn new(attempts: usize) -> Self {
        Self {
            left: attempts.max(1),
            cancelled: false,
        }
    }

    /// Whether another batch may take the call.
    ///
    /// # Errors
    ///
    /// The call's outcome, when none may.
    pub(super) fn after(&mut self, setback: Setback) -> Result<(), ModelError> {
        let error = match setback {
            Setback::Innocent => return Ok(()),
            Setback::Final(error) => return Err(error),
            Setback::Cancelled if !self.cancelled => {
                self.cancelled = true;
                return Ok(());
            }
            Setback::Cancelled => {
                let text = "two batches with this request were cancelled, one after the other";
                return Err(ModelError::Other(text.to_owned()));
            }
            Setback::Failed(error) if error.retry() == Retry::Never => return Err(error),
            Setback::Failed(error) => error,
            Setback::Unfinished(why) => ModelError::Other(why.to_owned()),
        };
        self.left -= 1;
        if self.left == 0 {
            return Err(error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16) -> Setback {
        Setback::Failed(ModelError::Status {
            endpoint: String::new(),
            status,
            message: "no".to_owned(),
            retry_after: None,
        })
    }

    #[test]
    fn what_may_pass_is_tried_so_often_and_what_may_not_never_again() {
        let mut tries = Tries::new(3);
        assert!(tries.after(status(429)).is_ok());
        assert!(tries.after(Setback::Unfinished("it expired")).is_ok());
        assert!(matches!(
            tries.after(status(500)),
            Err(ModelError::Status { status: 500, .. })
        ));
        for (setback, says) in [
            (status(400), "400"),
            (Setback::Final(ModelError::Other("over".to_owned())), "over"),
        ] {
            let error = Tries::new(3).after(setback).expect_err("an error");
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    #[test]
    fn a_cancelled_row_has_one_more_chance_and_an_innocent_one_any_number() {
        let mut tries = Tries::new(1);
        for _ in 0..100 {
            assert!(tries.after(Setback::Innocent).is_ok());
        }
        assert!(tries.after(Setback::Cancelled).is_ok());
        assert!(tries.after(Setback::Cancelled).is_err());
    }

    #[test]
    fn a_copy_says_the_same_and_means_the_same() {
        let refused = ModelError::Connection {
            endpoint: "http://host/v1".to_owned(),
            source: Box::new(NotConnected::new("refused")),
        };
        let unusable = ModelError::Unusable {
            model: "m".to_owned(),
            hint: "look".to_owned(),
            source: Box::new(refused),
        };
        let ModelError::Unusable { source, hint, .. } = copy(&unusable) else {
            panic!("another error");
        };
        assert!(source.is_not_connected() && hint == "look");
        for error in [
            ModelError::Garbled {
                what: "half".to_owned(),
            },
            ModelError::Other("x".to_owned()),
            ModelError::Timeout {
                endpoint: "e".to_owned(),
                which: crate::model::TimeLimit::Total,
                limit: std::time::Duration::from_secs(1),
            },
        ] {
            let again = copy(&error);
            assert_eq!(again.to_string(), error.to_string());
            assert_eq!(again.retry(), error.retry());
        }
    }
}

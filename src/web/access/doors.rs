//! Who comes in, and as whom.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::{Role, Visitor};
use crate::gateway::access::Secret;

/// Who comes in, and as whom.
#[derive(Clone, Debug)]
pub struct Doors {
    everybody: Visitor,
}

impl Doors {
    /// Lets everybody in under one name; nothing where the system gives no randomness.
    #[must_use]
    pub fn open(name: &str, role: Role) -> Option<Self> {
        let form_token = Arc::new(Secret::new()?);
        let everybody = Visitor::new(name.to_owned(), role, form_token);
        Some(Self { everybody })
    }
}

/// Lets a request in, as somebody.
pub(in crate::web) async fn enter(
    State(doors): State<Doors>,
    mut request: Request,
    next: Next,
) -> Response {
    request.extensions_mut().insert(doors.everybody.clone());
    next.run(request).await
}

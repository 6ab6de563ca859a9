//! Who comes in, and as whom.

use std::fmt;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::sessions::Sessions;
use super::{Role, Visitor, cookie};
use crate::gateway::access::{Access, KeyDigest, Secret};
use crate::web::Problem;
use crate::web::links::link;

/// What is given to those who have not come in: how to come in, and what that page needs.
const OUTSIDE: [&str; 4] = ["/sign-in", "/style.css", "/keys.js", "/icon.svg"];

/// Who comes in, and as whom.
#[derive(Clone)]
pub struct Doors {
    /// The keys that there are.
    access: Arc<Access>,
    /// As whom everybody comes in while there is no key; absent: nobody does.
    everybody: Option<Visitor>,
    sessions: Arc<Sessions>,
}

impl Doors {
    /// Lets those in who sign in with one of these keys.
    #[must_use]
    pub fn with_keys(access: Arc<Access>) -> Self {
        Self {
            access,
            everybody: None,
            sessions: Arc::default(),
        }
    }

    /// Lets everybody in under that name while there is no key; nothing where the system gives no
    /// randomness.
    #[must_use]
    pub fn open_as(mut self, name: &str, role: Role) -> Option<Self> {
        let form_token = Arc::new(Secret::new()?);
        self.everybody = Some(Visitor::everybody(name, role, form_token));
        Some(self)
    }

    /// Begins a session with a key that opens the pages; gives its name.
    pub(super) fn sign_in(&self, key: &str) -> Option<Secret> {
        let digest = KeyDigest::of(key);
        let key = self.access.key(digest)?;
        (key.role > Role::Caller).then_some(())?;
        self.sessions.begin(digest)
    }

    /// Ends the session that a request brings.
    pub(super) fn sign_out(&self, headers: &HeaderMap) {
        if let Some(session) = cookie::read(headers) {
            self.sessions.end(session);
        }
    }

    /// Whether everybody comes in, because there is no key.
    pub(in crate::web) fn are_open(&self) -> bool {
        self.everybody.is_some() && self.access.is_open()
    }

    /// As whom a request comes in.
    pub(super) fn visitor(&self, headers: &HeaderMap) -> Option<Visitor> {
        if let Some(everybody) = &self.everybody
            && self.access.is_open()
        {
            return Some(everybody.clone());
        }
        let session = self.sessions.find(cookie::read(headers)?)?;
        // As the key is now: it may have been revoked, or be another one's by now.
        let key = self.access.key(session.key)?;
        (key.role > Role::Caller)
            .then(|| Visitor::signed_in(key.name, key.role, session.form_token))
    }
}

impl fmt::Debug for Doors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Doors")
            .field("everybody", &self.everybody)
            .finish_non_exhaustive()
    }
}

/// Lets a request in as somebody, or shows it the way.
pub(in crate::web) async fn enter(
    State(doors): State<Doors>,
    mut request: Request,
    next: Next,
) -> Response {
    if request.method() == Method::POST && is_from_elsewhere(request.headers()) {
        let told = "What was sent comes from a page of somebody else.";
        return Problem::Forbidden(told.to_owned()).into_response();
    }
    if let Some(visitor) = doors.visitor(request.headers()) {
        request.extensions_mut().insert(visitor);
    } else if !OUTSIDE.contains(&request.uri().path()) {
        if request.method() == Method::POST {
            let told = "This session has ended, and nothing was changed. What you wrote is still in the form: go \
                 back, copy it, sign in, and send it from a page that was loaded since.";
            return Problem::SignedOut(told.to_owned()).into_response();
        }
        let wanted = request.uri().path_and_query();
        let wanted = wanted.map_or("/", |wanted| wanted.as_str());
        return Redirect::to(&link("/sign-in", &[("to", wanted)])).into_response();
    }
    next.run(request).await
}

/// Whether a browser says that another site's page has sent this.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    site.is_some_and(|site| site != b"same-origin" && site != b"none")
}

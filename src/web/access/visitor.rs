//! One who looks at the pages.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use maud::{Markup, html};

use super::Role;
use crate::gateway::access::Secret;
use crate::web::Problem;

/// One who has come in.
#[derive(Clone, Debug)]
pub(in crate::web) struct Visitor {
    name: String,
    role: Role,
    /// What a form must bring back: a page elsewhere can send a form, and cannot read this one.
    form_token: Arc<Secret>,
    has_signed_in: bool,
}

impl Visitor {
    pub(super) fn everybody(name: &str, role: Role, form_token: Arc<Secret>) -> Self {
        Self {
            name: name.to_owned(),
            role,
            form_token,
            has_signed_in: false,
        }
    }

    pub(super) fn signed_in(name: String, role: Role, form_token: Arc<Secret>) -> Self {
        Self {
            name,
            role,
            form_token,
            has_signed_in: true,
        }
    }

    pub(super) fn has_signed_in(&self) -> bool {
        self.has_signed_in
    }

    pub(super) fn role(&self) -> Role {
        self.role
    }

    /// Under which name decisions are kept.
    pub(in crate::web) fn name(&self) -> &str {
        &self.name
    }

    /// Whether this role, or one above it, is the visitor's.
    pub(in crate::web) fn is(&self, role: Role) -> bool {
        self.role >= role
    }

    /// That this role, or one above it, is the visitor's.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub(in crate::web) fn must_be(&self, role: Role) -> Result<(), Problem> {
        if self.is(role) {
            return Ok(());
        }
        Err(Problem::Forbidden(format!(
            "This is for a {}; {} is a {} here.",
            role.as_str(),
            self.name,
            self.role.as_str()
        )))
    }

    /// The field that every form needs.
    pub(in crate::web) fn form_field(&self) -> Markup {
        html! { input type="hidden" name="form_token" value=(self.form_token.reveal()); }
    }

    pub(super) fn form_token(&self) -> &Secret {
        &self.form_token
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let visitor = parts.extensions.get::<Self>().cloned();
        visitor
            .ok_or_else(|| Problem::Forbidden("This is for those who have signed in.".to_owned()))
    }
}

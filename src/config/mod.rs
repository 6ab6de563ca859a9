//! Settings: `redraft.yaml`, the environment and the command line; of these the later wins.
//!
//! Only `app` and `cli` read them; every other module is given what it needs.

mod env;
mod file;
mod forms;
mod gateway;
mod gateway_plan;
mod recipe;
mod resolve;

pub use env::Environment;
pub use file::{BatchSettings, ModelSettings, RoleSettings, Roles, SettingsFile};
pub use forms::OneOrMany;
pub use gateway::{GatewaySettings, OfferedSettings, TlsSettings};
pub use gateway_plan::{GatewayPlan, OfferedPlan};
pub use recipe::RecipeSettings;
pub use resolve::{ModelPlan, Overrides, RolePlan, Settings, SettingsError};

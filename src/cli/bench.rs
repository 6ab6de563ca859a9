//! `redraft bench`: what an endpoint is good for, or this machine against a simulated server.

mod ceiling;
mod endpoint;
mod numbers;
mod server;

use clap::{ArgGroup, Args};

use super::Exit;
use ceiling::CeilingArgs;
use endpoint::EndpointArgs;
use server::ServerArgs;

/// Options of `redraft bench`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["base_url", "simulated", "serve"]))]
pub(super) struct Options {
    /// Measure against a simulated server on this machine: its own ceiling, and no model's
    #[arg(long)]
    simulated: bool,
    /// Start the simulated server alone, at ADDRESS:PORT
    #[arg(long, value_name = "ADDRESS", conflicts_with = "CeilingArgs")]
    serve: Option<std::net::SocketAddr>,
    /// End the server when standard input ends, whose first line holds its options
    #[arg(long, hide = true, requires = "serve")]
    leashed: bool,
    /// Print the figures as JSON to standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    endpoint: EndpointArgs,
    #[command(flatten)]
    ceiling: CeilingArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        if self.leashed {
            return server::on_a_leash();
        }
        if let Some(address) = self.serve {
            return server::alone(self.server.options(address)).await;
        }
        if self.simulated {
            let server = self.server.options(server::ANY_PORT);
            return self.ceiling.run(server, self.json).await;
        }
        self.endpoint.run(self.json).await
    }
}

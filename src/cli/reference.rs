//! `payables schema`, `payables completions`, `payables man`.

use std::io::{Write, stdout};

use clap::CommandFactory;

use super::args::{Cli, CompletionsArgs, SchemaArgs, SchemaName};
use super::{Ended, Failure};
use crate::outcome::Exit;
use crate::vendors::aws;
use crate::{config, mappings, model, report};

/// `payables schema`
pub(super) fn schema(args: &SchemaArgs) -> Ended {
    let schema = match args.name {
        SchemaName::Document => model::document_schema(),
        SchemaName::PurchaseOrder => model::purchase_order_schema(),
        SchemaName::Invoice => model::invoice_schema(),
        SchemaName::Report => report::report_schema(),
        SchemaName::Config => config::config_schema(),
        SchemaName::Mapping => mappings::source::mapping_schema(),
        SchemaName::Portal => aws::preference_schema(),
        SchemaName::InvoiceUnit => aws::unit_schema(),
    };
    let text = serde_json::to_string_pretty(&schema).map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
    print(format!("{text}\n").as_bytes())
}

/// `payables completions`
pub(super) fn completions(args: &CompletionsArgs) -> Ended {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "payables", &mut text);
    print(&text)
}

/// `payables man`: the page of the program, then one for each command.
pub(super) fn man() -> Ended {
    let mut command = Cli::command();
    command.build();
    let mut text = Vec::new();
    let failed = |error: std::io::Error| Failure::output(&error);
    clap_mangen::Man::new(command.clone()).render(&mut text).map_err(failed)?;
    pages(&command, "payables", &mut text).map_err(failed)?;
    print(&text)
}

/// The pages of the commands below a command.
fn pages(command: &clap::Command, name: &str, text: &mut Vec<u8>) -> std::io::Result<()> {
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let name = format!("{name}-{}", sub.get_name());
        clap_mangen::Man::new(sub.clone()).title(&name).render(text)?;
        pages(sub, &name, text)?;
    }
    Ok(())
}

fn print(bytes: &[u8]) -> Ended {
    let mut out = stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
    Ok(Exit::Done)
}

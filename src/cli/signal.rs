//! `orch signal NAME k=v`

/// Deliver a signal to the runs that wait for it and to the campaigns that it starts
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: orch signal stock_in sku=A-17 quantity=40")]
pub struct Arguments {
    /// The signal, as declared in the project
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Its values
    #[arg(value_name = "FIELD=VALUE")]
    pub values: Vec<String>,
    /// A name for this signal: the same one delivered again changes nothing
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
}

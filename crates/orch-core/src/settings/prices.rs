//! `[prices]`: what models cost, for programs that report tokens and no cost.

use super::error::SettingsError;
use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::reader::Reader;
use super::rules;
use crate::money::PriceTable;
use crate::money::prices::ModelPrice;

static VERSION: Key = Key {
    section: "prices",
    name: "version",
    env: "ORCH_PRICES_VERSION",
    kind: Kind::Text { form: "a word such as 2026-11", rule: rules::text },
    default: "",
    doc: "The version of the prices given here; kept with each run that they priced",
};
static MODELS: Key = Key {
    section: "prices",
    name: "models",
    env: "ORCH_PRICES_MODELS",
    kind: Kind::List { form: "models with their prices", rule: rules::model_price },
    default: "",
    doc: "US dollars per million tokens, such as `gpt-5 input=1.25 cached=0.125 output=10 reasoning=10`; above the shipped ones",
};

/// `[prices]`.
pub(super) static SECTION: Section = Section {
    name: "prices",
    instance: None,
    scope: Scope::Repository,
    doc: "What models cost where a program reports tokens and no cost",
    keys: &[&VERSION, &MODELS],
};

pub(super) fn read(reader: &mut Reader<'_>) -> PriceTable {
    let version = reader.text(&VERSION);
    let (models, place) = reader.value(&MODELS);
    let models = models.list().unwrap_or_default();
    if !models.is_empty() && version.is_none() {
        let message = "`prices.models` has no version".to_owned();
        let hint = "add version = \"2026-11\", or another word for this list".to_owned();
        reader.errors.push(SettingsError::new(place, message, Some(hint)));
    }
    let own = models.iter().filter_map(|text| text.parse::<ModelPrice>().ok());
    PriceTable::with(own.map(|own| (own.model, own.price)), &version.unwrap_or_default())
}

//! The table of prices: what tokens cost where a program reports tokens and no cost.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::Tokens;

/// The version of the prices that come with the program: the providers' public lists of then.
pub const SHIPPED_VERSION: &str = "shipped-2025-10";

/// What a model costs, in millionths of a US dollar per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Tokens read that were not in the provider's cache.
    pub input: u64,
    /// Tokens read from the provider's cache.
    pub cached_input: u64,
    /// Tokens written and shown.
    pub output: u64,
    /// Tokens written and not shown.
    pub reasoning: u64,
}

/// Input, cached input and output of models, in thousandths of a US dollar per million tokens.
const SHIPPED: [(&str, u64, u64, u64); 9] = [
    ("gpt-5", 1250, 125, 10_000),
    ("gpt-5-codex", 1250, 125, 10_000),
    ("gpt-5-mini", 250, 25, 2000),
    ("gpt-5-nano", 50, 5, 400),
    ("gemini-2.5-pro", 1250, 310, 10_000),
    ("gemini-2.5-flash", 300, 75, 2500),
    ("claude-opus-4-1", 15_000, 1500, 75_000),
    ("claude-sonnet-4-5", 3000, 300, 15_000),
    ("claude-haiku-4-5", 1000, 100, 5000),
];

/// Prices by model, each with the version of the list it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceTable {
    models: BTreeMap<String, (Price, String)>,
}

/// What a run cost, and by which prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    /// In millionths of a US dollar.
    pub cost_micros: u64,
    /// The version of the prices.
    pub version: String,
}

impl Default for PriceTable {
    fn default() -> Self {
        let price = |(model, input, cached_input, output): (&str, u64, u64, u64)| {
            let [input, cached_input, output] = [input, cached_input, output].map(|m| m * 1000);
            let price = Price { input, cached_input, output, reasoning: output };
            (model.to_owned(), (price, SHIPPED_VERSION.to_owned()))
        };
        Self { models: SHIPPED.into_iter().map(price).collect() }
    }
}

impl PriceTable {
    /// The shipped prices with a repository's own above them.
    pub fn with(own: impl IntoIterator<Item = (String, Price)>, version: &str) -> Self {
        let mut table = Self::default();
        table.models.extend(own.into_iter().map(|(name, price)| (name, (price, version.into()))));
        table
    }

    /// What tokens of a model cost; `None` where its price is not known. A dated name such as
    /// `gpt-5-2025-08-07` has the price of its plain one.
    pub fn price(&self, model: &str, tokens: Tokens) -> Option<Priced> {
        let dated = |known: &&String| {
            let rest = model.strip_prefix(known.as_str()).and_then(|rest| rest.strip_prefix('-'));
            rest.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
        };
        let name = match self.models.get_key_value(model) {
            Some((name, _)) => name,
            None => self.models.keys().filter(dated).max_by_key(|name| name.len())?,
        };
        let (price, version) = self.models.get(name)?;
        Some(Priced { cost_micros: price.cost(tokens), version: version.clone() })
    }
}

impl Price {
    /// What tokens cost, rounded up to a whole millionth.
    pub fn cost(&self, tokens: Tokens) -> u64 {
        let cached = tokens.cached_input.min(tokens.input);
        let reasoning = tokens.reasoning.min(tokens.output);
        let parts = [
            (tokens.input - cached, self.input),
            (cached, self.cached_input),
            (tokens.output - reasoning, self.output),
            (reasoning, self.reasoning),
        ];
        let sum: u128 = parts.iter().map(|(n, price)| u128::from(*n) * u128::from(*price)).sum();
        u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}

/// A model with its price, as `[prices] models` spells it: `MODEL input=1.25 cached=0.125
/// output=10 reasoning=10`, in US dollars per million tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelPrice {
    /// The model.
    pub model: String,
    /// Its price.
    pub price: Price,
}

/// The form of a model's price.
pub const FORM: &str = "must be a model and its US dollars per million tokens, such as `gpt-5 input=1.25 cached=0.125 output=10`";

impl FromStr for ModelPrice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split_whitespace();
        let model = words.next().filter(|model| !model.contains('=')).ok_or(FORM)?;
        let (mut input, mut cached, mut output, mut reasoning) = (None, None, None, None);
        for word in words {
            let (name, amount) = word.split_once('=').ok_or(FORM)?;
            let place = match name {
                "input" => &mut input,
                "cached" => &mut cached,
                "output" => &mut output,
                "reasoning" => &mut reasoning,
                _ => return Err(FORM),
            };
            if place.replace(micros(amount).ok_or(FORM)?).is_some() {
                return Err(FORM);
            }
        }
        let (input, output) = input.zip(output).ok_or(FORM)?;
        let price = Price {
            input,
            cached_input: cached.unwrap_or(input),
            output,
            reasoning: reasoning.unwrap_or(output),
        };
        Ok(Self { model: model.to_owned(), price })
    }
}

/// The most that an amount of money in the settings may be: more is a slip of the keyboard.
pub const MAX_DOLLARS: u64 = 1_000_000;

/// Reads US dollars such as `12.50` as millionths; `None` where it is no such amount.
pub fn micros(text: &str) -> Option<u64> {
    let text = text.trim().trim_start_matches('$');
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let empty = whole.is_empty() && part.is_empty();
    if empty || !digits(whole) || !digits(part) || part.len() > 6 || whole.len() > 7 {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: u64 = format!("{part:0<6}").parse().ok()?;
    let sum = whole * 1_000_000 + part;
    (sum <= MAX_DOLLARS * 1_000_000).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_money_are_read_exactly() {
        for (text, read) in [
            ("0", Some(0)),
            ("12.5", Some(12_500_000)),
            ("$3", Some(3_000_000)),
            (".000001", Some(1)),
            ("1000000", Some(1_000_000_000_000)),
            ("1000001", None),
            ("", None),
            (".", None),
            ("-1", None),
            ("1e3", None),
            ("1.0000001", None),
            ("99999999999999999999", None),
            ("NaN", None),
        ] {
            assert_eq!(micros(text), read, "{text}");
        }
    }

    #[test]
    fn cached_and_reasoning_tokens_have_prices_of_their_own() {
        let own: ModelPrice = "m input=2 cached=0.5 output=10 reasoning=4".parse().unwrap();
        let tokens =
            Tokens { input: 1_000_000, cached_input: 400_000, output: 500_000, reasoning: 100_000 };
        let table = PriceTable::with([(own.model, own.price)], "mine-1");
        let priced = table.price("m", tokens).unwrap();
        assert_eq!(priced.cost_micros, 1_200_000 + 200_000 + 4_000_000 + 400_000);
        assert_eq!(priced.version, "mine-1");
        let more_cached_than_read = Tokens { input: 1, cached_input: 9, output: 0, reasoning: 7 };
        assert_eq!(table.price("m", more_cached_than_read).unwrap().cost_micros, 1);
    }

    #[test]
    fn a_dated_model_has_the_price_of_its_plain_name_and_an_unknown_one_none() {
        let table = PriceTable::default();
        let tokens = Tokens { input: 1_000_000, ..Tokens::default() };
        let cost = |model: &str| table.price(model, tokens).map(|priced| priced.cost_micros);
        assert_eq!(cost("gpt-5-2025-08-07"), Some(1_250_000));
        assert_eq!(cost("gpt-5-mini-2025-08-07"), Some(250_000));
        assert_eq!(cost("claude-sonnet-4-5-20250929"), Some(3_000_000));
        assert_eq!(cost("gpt-5-turbo"), None);
        assert_eq!(cost(""), None);
    }

    #[test]
    fn malformed_prices_are_refused() {
        for text in [
            "",
            "gpt-5",
            "input=1 output=2",
            "m input=1",
            "m input=1 output=x",
            "m input=1 input=2 output=3",
            "m input=1 output=2 speed=3",
            "m input=-1 output=2",
        ] {
            assert!(text.parse::<ModelPrice>().is_err(), "{text}");
        }
    }
}

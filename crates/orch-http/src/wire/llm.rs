//! Language models and money.

use orch_api::{CallSiteItem, LlmCallItem, LlmReport, LlmSum, NamedSum, ShadowSum};
use orch_core::llm::CallSite;
use orch_store::{LlmCall, LlmFilter, LlmSums};

pub(crate) fn sum(sum: &orch_store::LlmSum) -> LlmSum {
    LlmSum {
        calls: sum.calls,
        open: sum.open,
        failed: sum.failed,
        input_tokens: sum.input_tokens,
        cached_input_tokens: sum.cached_input_tokens,
        output_tokens: sum.output_tokens,
        reasoning_tokens: sum.reasoning_tokens,
        cost_micros: sum.cost_micros,
        unpriced: sum.unpriced,
    }
}

pub(crate) fn report(
    filter: LlmFilter,
    sums: &LlmSums,
    shadows: &[orch_store::ShadowSum],
) -> LlmReport {
    let of = |id: &str| sums.sites.iter().find(|(site, ..)| site == id);
    let mut call_sites: Vec<CallSiteItem> = CallSite::all()
        .map(|site| {
            let (sum, median) = of(site.id()).map(|(_, sum, ms)| (*sum, *ms)).unwrap_or_default();
            CallSiteItem {
                stage: site.stage().map(str::to_owned),
                role: site.role().map(str::to_owned),
                purpose: site.purpose().word().to_owned(),
                class: site.class().word().to_owned(),
                ..called(site.id(), &sum, median)
            }
        })
        .collect();
    let gone = sums.sites.iter().filter(|(id, ..)| CallSite::by_id(id).is_none());
    for site in &mut call_sites {
        site.shadow = shadows.iter().find(|sum| sum.call_site == site.id).map(shadow);
    }
    call_sites.extend(gone.map(|(id, sum, median)| called(id, sum, *median)));
    let named = |name: String, of: &orch_store::LlmSum| NamedSum { name, sum: sum(of) };
    LlmReport {
        since: filter.since,
        repo: filter.repo.map(|repo| repo.to_string()),
        call_sites,
        repos: sums.repos.iter().map(|(name, sum)| named(name.clone(), sum)).collect(),
        days: sums.days.iter().map(|(day, s)| named(day.strftime("%F").to_string(), s)).collect(),
    }
}

fn shadow(sum: &orch_store::ShadowSum) -> ShadowSum {
    ShadowSum {
        shadows: sum.shadows,
        compared: sum.compared,
        agreed: sum.agreed,
        agreement: (sum.compared > 0).then(|| sum.agreed as f64 / sum.compared as f64),
        llm_ms: sum.llm_ms,
        runner_ms: sum.runner_ms,
        llm_cost_micros: sum.llm_cost_micros,
    }
}

fn called(id: &str, of: &orch_store::LlmSum, median_ms: Option<u64>) -> CallSiteItem {
    let ended = of.calls.saturating_sub(of.open);
    CallSiteItem {
        id: id.to_owned(),
        sum: sum(of),
        failure_rate: (ended > 0).then(|| of.failed as f64 / ended as f64),
        median_ms,
        ..CallSiteItem::default()
    }
}

pub(crate) fn call(call: LlmCall) -> LlmCallItem {
    LlmCallItem {
        call_id: call.call_id.to_string(),
        run_id: call.run_id.to_string(),
        call_site: call.call_site,
        agent: call.agent.to_string(),
        adapter: call.adapter,
        account: call.account,
        model: call.model,
        cached_input_tokens: call.cached_input_tokens,
        reasoning_tokens: call.reasoning_tokens,
        cost_micros: call.cost_micros,
        prices: call.prices,
    }
}

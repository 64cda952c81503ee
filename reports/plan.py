"""A plan as a document: plan.html, one self-contained page, beside plan.json."""

from pathlib import Path

from analysis.planning import shop_plan
from analysis.planning.planned import Plan
from reports import plan_rows, plan_wording
from reports.charts import planned
from reports.html import environment


def documents(folder: Path, plan: Plan) -> dict[Path, str]:
    """The texts of plan.json and plan.html in a folder; the same plan gives the same bytes."""
    return {folder / "plan.json": shop_plan.document(plan), folder / "plan.html": html(plan)}


def html(plan: Plan) -> str:
    """The page."""
    return (
        environment()
        .get_template("plan.html")
        .render(
            plan=plan,
            manifest=plan.manifest,
            wishes=plan.wishes,
            answer=plan_wording.answer(plan),
            verdict=plan_wording.verdict(plan),
            objectives=plan_wording.objectives(plan),
            columns=plan_rows.columns(plan),
            overview=plan_rows.overview(plan),
            tiers=plan_rows.tiers(plan),
            demands=plan_rows.demands(plan),
            picture=planned.load(plan.curves),
            figure=plan_rows.figure,
            shoppers=plan_rows.shoppers,
            money=plan_rows.money,
        )
    )

"""An explanation in sentences, in the language of the round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scheduler.app.explain import ExplainResult
from scheduler.domain.explain import Candidate, LabFacts, Visit, Why
from scheduler.domain.plan import Reason

MOST_VISITS = 12


@dataclass(frozen=True)
class Paragraph:
    """A heading and the sentences below it."""

    heading: str
    lines: tuple[str, ...]


def paragraphs(result: ExplainResult) -> list[Paragraph]:
    """Return the explanation, part by part."""
    words = _ZH if result.language == "zh" else _EN
    facts, clock = result.facts, result.clock

    def when(minute: int) -> str:
        return f"{clock.at(minute):%m-%d %H:%M}"

    visits = [_visit(words, v, when(v.start), when(v.end)) for v in facts.visits[:MOST_VISITS]]
    if len(facts.visits) > MOST_VISITS:
        visits.append(words["more"].format(n=len(facts.visits) - MOST_VISITS))
    parts = [
        Paragraph(_head(words, result), tuple(_who(words, result))),
        Paragraph(words["when"], tuple(visits or [words["nobody"]])),
        Paragraph(words["rules"], tuple(_rules(words, result))),
        Paragraph(
            words["candidates"].format(n=facts.num_candidates, told=len(facts.candidates)),
            tuple(_candidate(words, c) for c in facts.candidates),
        ),
    ]
    if facts.labs:
        labs = tuple(
            _lab(words, lab, when(lab.first_start), when(lab.last_result)) for lab in facts.labs
        )
        parts.append(Paragraph(words["labs"], labs))
    return parts


def _head(words: dict[str, str], result: ExplainResult) -> str:
    f = result.facts
    return words["head"].format(
        name=f.name, id=f.community_id, where=f"{f.district} {f.street}", revision=result.revision
    )


def _who(words: dict[str, str], result: ExplainResult) -> Iterator[str]:
    facts = result.facts
    yield words["who"].format(people=facts.people, called=facts.called)
    for reason, people in facts.rest.items():
        city = "_city" if reason == Reason.FULL and facts.city_full else ""
        yield words[f"reason_{Reason(reason).value}{city}"].format(n=people)


def _visit(words: dict[str, str], visit: Visit, start: str, end: str) -> str:
    if start[:5] == end[:5]:
        end = end[6:]
    return words["visit"].format(
        start=start, end=end, site=visit.name, id=visit.site_id, n=visit.people
    )


def _rules(words: dict[str, str], result: ExplainResult) -> Iterator[str]:
    facts = result.facts
    yield words["zone"].format(zone=words[facts.zone], pool=facts.pool_size)
    if facts.zone == "lockdown":
        yield words["lockdown_rule"]
    else:
        yield words["reach"].format(m=facts.max_walk_m)
    if facts.zone != "normal":
        yield words["share"].format(min=facts.clearing_min)
    if not facts.cross_district:
        yield words["own_district"]
    if facts.edge_min:
        yield words["edge"].format(min=facts.edge_min, share=facts.edge_share)
    if facts.city_people:
        yield words["city"].format(n=facts.city_people)


def _candidate(words: dict[str, str], c: Candidate) -> str:
    way = words["in_place"] if c.in_place else words["way"].format(m=c.walk_m, min=c.walk_min)
    load = words["load"].format(
        quota=c.quota,
        limit=words[f"limit_{c.limit}"],
        called=c.then_called,
        places=c.then_places,
        round_called=c.round_called,
        round_places=c.round_places,
    )
    why = words[f"why_{c.why.value}"].format(n=c.people_here)
    if c.why is Why.CLOSED:
        load = ""
    return words["candidate"].format(site=c.name, id=c.site_id, way=way, load=load, why=why)


def _lab(words: dict[str, str], lab: LabFacts, first: str, last: str) -> str:
    text = words["lab"].format(
        lab=lab.name,
        id=lab.lab_id,
        tubes=lab.tubes,
        first=first,
        last=last,
        load=lab.load_tubes,
        capacity=lab.capacity_tubes,
        hours=lab.num_hours,
        full=lab.full_hours,
    )
    margin = "margin" if lab.margin_min >= 0 else "late"
    return text + words[margin].format(min=abs(lab.margin_min))


_EN = {
    "head": "{name} ({id}), {where}, revision {revision}",
    "who": "{people:,} people live here; {called:,} are called to a site.",
    "reason_home_visit": "{n:,} are visited at home.",
    "reason_no_team": "{n:,} have no slot: no team is named for this sealed area.",
    "reason_no_site": "{n:,} have no slot: no site may take them.",
    "reason_block_too_large": "{n:,} have no slot: their block is larger than a site can take "
    "between opening and closing.",
    "reason_full": "{n:,} have no slot: the sites they may use are full.",
    "reason_full_city": "{n:,} have no slot: the whole city calls as many in a slot as it may.",
    "reason_past_end": "{n:,} have no slot: they do not fit before the end of the round.",
    "when": "Where and when",
    "nobody": "Nobody is called to a site.",
    "visit": "{start} to {end}: {site} ({id}), {n:,} people.",
    "more": "And {n} more visits; the published file has them all.",
    "rules": "Rules that bind it",
    "normal": "a normal zone",
    "precaution": "a precaution zone",
    "control": "a control zone",
    "lockdown": "a lockdown zone",
    "zone": "It is {zone}: {pool} to a tube.",
    "lockdown_rule": "Nobody leaves: only a team named for it may serve it, in place.",
    "reach": "It may use sites within {m:,} m on foot, the nearest eight at any distance, and "
    "teams named for it.",
    "share": "It shares no slot of a site with another zone; {min} minutes of clearing follow it "
    "before a less strict zone.",
    "own_district": "It may use sites of its own district only.",
    "edge": "In the first and last {min} minutes of their hours sites take fewer: from {share:.0%} "
    "of a full slot at the edge.",
    "city": "In one slot the whole city calls {n:,} people at most.",
    "candidates": "Sites it may use: {n} open; {told} are told here, nearest first",
    "way": "{m:,} m, {min} min on foot",
    "in_place": "served in place",
    "load": " At most {quota} people per slot ({limit}); in this community's slots {called:,} of "
    "{places:,} places are given, in the round {round_called:,} of {round_places:,}.",
    "limit_lanes": "its lanes",
    "limit_ground": "its queue ground",
    "candidate": "{site} ({id}), {way}: {why}{load}",
    "why_used": "{n:,} people of this community go there.",
    "why_closed": "not used: it has no slot in this round.",
    "why_shut": "not used: it is not open in this community's slots.",
    "why_zone": "not used: in those slots another zone is there, or it is being cleared.",
    "why_full_round": "not used: in the whole round it has not room for one more block.",
    "why_full": "not used: in those slots it has not room for one more block.",
    "why_farther": "not used: it is no nearer than the sites in use.",
    "why_city": "not used: it has places left, but the whole city calls as many as it may.",
    "why_room": "not used: it has places left; the files do not show more than the reason above.",
    "why_whole": "not used although nearer: no rule in the files forbids it; the plan as a whole "
    "is cheaper so.",
    "labs": "Labs that take its tubes",
    "lab": "{lab} ({id}): {tubes:,} tubes with its samples, started from {first}, last result "
    "{last}. In those {hours} hours the lab starts {load:,} of {capacity:,} tubes; {full} of them "
    "are full.",
    "margin": " Results come at least {min} min before the promise.",
    "late": " The latest result comes {min} min AFTER the promise.",
}
_ZH = {
    "head": "{name}（{id}），{where}，第 {revision} 版方案",
    "who": "共 {people:,} 人，安排到采样点 {called:,} 人。",
    "reason_home_visit": "{n:,} 人上门采样。",
    "reason_no_team": "{n:,} 人未安排：封控区没有指定的采样队。",
    "reason_no_site": "{n:,} 人未安排：没有可以接收的采样点。",
    "reason_block_too_large": "{n:,} 人未安排：楼栋人数超出采样点一次开放能接收的人数。",
    "reason_full": "{n:,} 人未安排：可用的采样点都已约满。",
    "reason_full_city": "{n:,} 人未安排：全市每时段的人数已到上限。",
    "reason_past_end": "{n:,} 人未安排：本轮结束前排不下。",
    "when": "时间与地点",
    "nobody": "没有人被安排到采样点。",
    "visit": "{start} 至 {end}：{site}（{id}），{n:,} 人。",
    "more": "另有 {n} 段，见发布的社区文件。",
    "rules": "受哪些规则约束",
    "normal": "普通区",
    "precaution": "防范区",
    "control": "管控区",
    "lockdown": "封控区",
    "zone": "属于{zone}，{pool} 人一管。",
    "lockdown_rule": "足不出户：只能由指定的采样队就地采样。",
    "reach": "可用步行 {m:,} 米以内的采样点、最近的 8 个（不限距离），以及为本社区指定的采样队。",
    "share": "不与其他分区同一时段共用采样点；之后须清场 {min} 分钟，才能接收管控较松的分区。",
    "own_district": "只能使用本区的采样点。",
    "edge": "开放后和关闭前各 {min} 分钟内放号较少：最边上为平时的 {share:.0%}。",
    "city": "全市同一时段最多叫 {n:,} 人。",
    "candidates": "可用采样点：开放的有 {n} 个，以下由近到远列出 {told} 个",
    "way": "步行 {m:,} 米、约 {min} 分钟",
    "in_place": "就地采样",
    "load": "每时段最多 {quota} 人（{limit}）；本社区所在各时段已排 {called:,}／{places:,} 人，"
    "整轮已排 {round_called:,}／{round_places:,} 人。",
    "limit_lanes": "受采样台数所限",
    "limit_ground": "受排队场地所限",
    "candidate": "{site}（{id}），{way}：{why}{load}",
    "why_used": "本社区 {n:,} 人去这里。",
    "why_closed": "未用：本轮不开放。",
    "why_shut": "未用：本社区的时段内不开放。",
    "why_zone": "未用：这些时段由其他分区使用，或正在清场。",
    "why_full_round": "未用：整轮余量放不下一栋楼。",
    "why_full": "未用：这些时段余量放不下一栋楼。",
    "why_farther": "未用：不比现在的采样点近。",
    "why_city": "未用：还有余量，但全市每时段的人数已到上限。",
    "why_room": "未用：还有余量；除上述原因外，文件中没有更多说明。",
    "why_whole": "较近而未用：文件中没有规则禁止，是全市总体安排代价更小。",
    "labs": "样本送往的检测机构",
    "lab": "{lab}（{id}）：含本社区样本 {tubes:,} 管，{first} 起上机，最晚 {last} 出结果。"
    "这 {hours} 个小时该机构上机 {load:,}／{capacity:,} 管，其中 {full} 个小时满负荷。",
    "margin": "最紧的一批比承诺提前 {min} 分钟。",
    "late": "最晚的一批比承诺晚 {min} 分钟。",
}

"""Made-up Chinese names, unique in their district."""

from __future__ import annotations

import numpy as np

from scheduler.domain.city import Texts

_FIRST = "安春东福光海和红华吉金锦景康兰乐明宁平青清庆瑞盛泰文祥新兴永玉元云长振正中"
_SECOND = "宝滨城川峰港岗河湖江岭林楼泉山沙石台田屯湾阳园源月庄泽州竹洲"


def place_names(rng: np.random.Generator, count: int, endings: Texts) -> Texts:
    """Return ``count`` distinct names such as 春江社区, each with its own ending."""
    pairs = len(_FIRST) * len(_SECOND)
    picks = rng.permutation(pairs)
    names = []
    for i in range(count):
        a, b = divmod(int(picks[i % pairs]), len(_SECOND))
        nth = i // pairs
        extra = f"第{nth + 1}" if nth else ""
        names.append(f"{_FIRST[a]}{_SECOND[b]}{extra}{endings[i]}")
    return np.array(names, dtype=object)

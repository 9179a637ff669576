"""Connected parts of the London Underground (and Docklands Light Railway) as graphs.

Stations, their places and who is next to whom around 2010 are public facts; the five parts
are those of Xu, Wilder, Khalil and Tambe 2025: 20, 40, 60, 80 and 100 stations with 29, 56,
82, 108 and 133 links.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from arena.errors import ParameterError

__all__ = ["PARTS", "SOURCES", "tube"]

_STATIONS = """
Aldgate | 51.5143 | -0.0755
Aldgate East | 51.5154 | -0.0726
All Saints | 51.5107 | -0.013
Angel | 51.5322 | -0.1058
Arsenal | 51.5586 | -0.1059
Baker Street | 51.5226 | -0.1571
Bank | 51.5133 | -0.0886
Barbican | 51.5204 | -0.0979
Barons Court | 51.4905 | -0.2139
Bayswater | 51.5121 | -0.1879
Bermondsey | 51.4979 | -0.0637
Bethnal Green | 51.527 | -0.0549
Blackfriars | 51.512 | -0.1031
Bond Street | 51.5142 | -0.1494
Borough | 51.5011 | -0.0943
Bow Church | 51.5273 | -0.0208
Caledonian Road | 51.5481 | -0.1188
Canada Water | 51.4982 | -0.0502
Canary Wharf | 51.5051 | -0.0209
Cannon Street | 51.5113 | -0.0904
Chancery Lane | 51.5185 | -0.1111
Charing Cross | 51.508 | -0.1247
Covent Garden | 51.5129 | -0.1243
Devons Road | 51.5223 | -0.0173
Earl's Court | 51.492 | -0.1973
Edgware Road | 51.5199 | -0.1679
Elephant & Castle | 51.4943 | -0.1001
Embankment | 51.5074 | -0.1223
Euston | 51.5282 | -0.1337
Euston Square | 51.526 | -0.1359
Farringdon | 51.5203 | -0.1053
Finsbury Park | 51.5642 | -0.1065
Gloucester Road | 51.4945 | -0.1829
Goldhawk Road | 51.5018 | -0.2267
Goodge Street | 51.5205 | -0.1347
Great Portland Street | 51.5238 | -0.1439
Green Park | 51.5067 | -0.1428
Hammersmith | 51.4936 | -0.2251
High Street Kensington | 51.5009 | -0.1925
Highbury & Islington | 51.546 | -0.104
Holborn | 51.5174 | -0.12
Holloway Road | 51.5526 | -0.1132
Hyde Park Corner | 51.5027 | -0.1527
Kennington | 51.4884 | -0.1053
King's Cross St. Pancras | 51.5308 | -0.1238
Knightsbridge | 51.5015 | -0.1607
Ladbroke Grove | 51.5172 | -0.2107
Lambeth North | 51.4991 | -0.1115
Lancaster Gate | 51.5119 | -0.1756
Latimer Road | 51.5139 | -0.2172
Leicester Square | 51.5113 | -0.1281
Limehouse | 51.5123 | -0.0396
Liverpool Street | 51.5178 | -0.0823
London Bridge | 51.5052 | -0.0864
Mansion House | 51.5122 | -0.094
Marble Arch | 51.5136 | -0.1586
Marylebone | 51.5225 | -0.1631
Mile End | 51.5249 | -0.0332
Monument | 51.5108 | -0.0863
Moorgate | 51.5186 | -0.0886
Notting Hill Gate | 51.5094 | -0.1967
Old Street | 51.5263 | -0.0873
Oval | 51.4819 | -0.113
Oxford Circus | 51.515 | -0.1415
Paddington | 51.5154 | -0.1755
Piccadilly Circus | 51.5098 | -0.1342
Pimlico | 51.4893 | -0.1334
Poplar | 51.5077 | -0.0173
Pudding Mill Lane | 51.5343 | -0.0139
Queensway | 51.5107 | -0.1877
Regent's Park | 51.5234 | -0.1466
Rotherhithe | 51.501 | -0.0525
Royal Oak | 51.519 | -0.188
Russell Square | 51.523 | -0.1244
Shadwell | 51.5117 | -0.056
Shepherd's Bush | 51.5058 | -0.2265
Shoreditch | 51.5227 | -0.0708
Sloane Square | 51.4924 | -0.1565
South Kensington | 51.4941 | -0.1738
Southwark | 51.501 | -0.1052
St. James's Park | 51.4994 | -0.1335
St. Paul's | 51.5146 | -0.0973
Stepney Green | 51.5221 | -0.047
Stockwell | 51.4723 | -0.123
Stratford | 51.5416 | -0.0042
Surrey Quays | 51.4933 | -0.0478
Temple | 51.5111 | -0.1141
Tottenham Court Road | 51.5165 | -0.131
Tower Gateway | 51.5106 | -0.0743
Tower Hill | 51.5098 | -0.0766
Vauxhall | 51.4861 | -0.1253
Victoria | 51.4965 | -0.1447
Wapping | 51.5043 | -0.0558
Warren Street | 51.5247 | -0.1384
Waterloo | 51.5036 | -0.1143
West India Quay | 51.507 | -0.0203
Westbourne Park | 51.521 | -0.2011
Westferry | 51.5097 | -0.0265
Westminster | 51.501 | -0.1254
Whitechapel | 51.5194 | -0.0612
"""
"""Name, latitude and longitude of each station, a line each."""

_LINKS = """
0-52 0-89 1-52 1-89 1-99 2-23 2-67 3-44 3-61 4-31 4-41 5-13 5-35 5-56 5-70 6-52 6-53 6-59 6-74
6-81 6-94 7-30 7-59 8-24 8-37 9-60 9-64 10-17 10-53 11-52 11-57 12-54 12-86 13-36 13-55 13-63
14-26 14-53 15-23 15-68 16-41 16-44 17-18 17-71 17-85 18-95 19-54 19-58 20-40 20-81 21-27 21-50
21-65 22-40 22-50 24-32 24-38 25-56 25-64 26-43 26-47 27-86 27-94 27-98 28-44 28-93 29-35 29-44
30-44 31-39 32-38 32-78 33-37 33-75 34-87 34-93 36-42 36-63 36-65 36-91 36-98 38-60 39-44 40-73
40-87 42-45 43-62 43-94 44-73 45-78 46-49 46-96 47-94 48-55 48-69 49-75 50-65 50-87 51-74 51-97
52-59 53-79 57-82 57-84 58-89 59-61 60-69 62-83 63-65 63-70 63-87 63-93 64-72 66-90 66-91 67-95
67-97 68-84 71-92 72-96 74-88 74-92 74-99 76-99 77-78 77-91 79-94 80-91 80-98 82-99 83-90 94-98
95-97
"""
"""Neighbouring stations, by line number above."""

_PARTS = {
    20: """
87 6 93 94 50 52 98 53 59 20 21 22 63 65 27 34 79 36 81 40
""",
    40: """
0 87 3 43 89 6 7 44 47 93 94 50 12 52 98 53 14 13 54 58 59 19 20 21 22 61 63 65 26 27 28 29 30 73
34 79 36 81 40 86
""",
    60: """
0 87 1 88 3 43 89 6 7 90 44 91 47 93 92 94 50 12 10 11 52 98 53 14 13 54 57 58 59 99 17 19 20 21
22 61 62 63 65 66 26 70 27 71 28 29 30 73 74 76 34 35 79 36 82 83 80 81 40 86
""",
    80: """
0 1 3 4 5 6 7 9 10 11 12 13 14 16 17 19 20 21 22 25 26 27 28 29 30 31 32 34 35 36 38 39 40 41 42
43 44 45 47 48 50 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 69 70 71 73 74 76 77 79 78 82 83 80
81 86 87 88 89 90 91 92 93 94 98 99
""",
    100: """
0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35
36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68
69 70 71 72 73 74 75 76 77 79 78 82 83 84 80 81 85 86 87 88 89 90 91 92 93 94 96 97 98 95 99
""",
}

PARTS: dict[int, tuple[int, ...]] = {
    size: tuple(map(int, text.split())) for size, text in _PARTS.items()
}
"""Size to stations, in the order of the arms."""

SOURCES = {20: 0, 40: 10, 60: 20, 80: 0, 100: 0}
"""Size to the arm where walks start and end, as in the paper's code."""


@lru_cache(maxsize=8)
def tube(size: int) -> Any:
    """Return the part with `size` stations as a `networkx.Graph` on 0 … size−1.

    Nodes carry `name` and `pos` (longitude, latitude). Do not change it: it is shared.

    Raises:
        ParameterError: there is no part of that size.
    """
    import networkx

    if size not in PARTS:
        raise ParameterError("arms", size, f"one of {', '.join(map(str, PARTS))} for this graph")
    lines = _STATIONS.strip().splitlines()
    graph = networkx.Graph()
    arm = {station: k for k, station in enumerate(PARTS[size])}
    for station, k in arm.items():
        name, latitude, longitude = lines[station].split(" | ")
        graph.add_node(k, name=name, pos=(float(longitude), float(latitude)))
    links = (tuple(map(int, link.split("-"))) for link in _LINKS.split())
    graph.add_edges_from((arm[a], arm[b]) for a, b in links if a in arm and b in arm)
    return graph

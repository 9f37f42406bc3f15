"""Draw vehicles from the side, in metres: x from the rear forwards, y up from the ground."""

from __future__ import annotations

from scripts.drawing.pen import RGB, Pen, Point, circle, flat, outline, rectangle, tinted

CAR_LENGTH = 4.3
BUS_LENGTH = 12.0
TRUCK_LENGTH = 8.6

RUBBER = ((0.0, (52, 52, 54)), (0.5, (30, 30, 32)), (1.0, (14, 14, 15)))
ARCH = flat((12, 12, 14))
ALLOY = ((0.0, (226, 229, 232)), (0.5, (172, 176, 180)), (1.0, (104, 108, 112)))
TRIM = flat((24, 25, 28))
SEAM = flat((20, 20, 24))
GLASS = ((0.0, (150, 176, 194)), (0.35, (82, 102, 116)), (0.55, (40, 50, 58)), (1.0, (26, 32, 38)))
LAMP = ((0.0, (255, 255, 250)), (1.0, (190, 200, 206)))
TAIL_LAMP = ((0.0, (214, 40, 36)), (1.0, (132, 10, 14)))
CHASSIS = flat((36, 37, 40))
TANK = ((0.0, (96, 98, 102)), (0.4, (70, 72, 76)), (1.0, (44, 46, 50)))
AMBER = flat((250, 176, 40))
SHEEN = flat((235, 243, 248))
SHADOW = flat((8, 9, 12))


def _shadow(pen: Pen, length: float) -> None:
    pen.fill(rectangle(0.05, -0.14, length - 0.05, 0.12, 0.12), SHADOW, 0.7, blur=0.09)
    pen.fill(rectangle(0.3, -0.05, length - 0.3, 0.3, 0.05), SHADOW, 0.9, blur=0.04)


def _wheel(pen: Pen, centre: Point, radius: float, spokes: int = 5) -> None:
    pen.fill(circle(centre, radius * 1.22), ARCH)
    pen.fill(circle(centre, radius), RUBBER)
    pen.fill(circle(centre, radius * 0.68), flat((30, 31, 33)))
    pen.fill(circle(centre, radius * 0.66), ALLOY)
    pen.fill(circle(centre, radius * 0.56), flat((46, 48, 51)))
    x, y = centre
    for spoke in range(spokes):
        tip = circle(centre, radius * 0.62, (spoke + 0.25) / spokes, 0.0)[0]
        pen.stroke([(x, y), tip], radius * 0.17, ALLOY)
    pen.fill(circle(centre, radius * 0.16), ALLOY)
    pen.fill(circle(centre, radius * 0.07), flat((70, 72, 76)))


def _body(colour: RGB) -> tuple[tuple[float, RGB], ...]:
    """Return a shade of painted metal: bright above a dark band that reflects the road."""
    return (
        (0.0, tinted(colour, 1.45)),
        (0.32, tinted(colour, 1.12)),
        (0.45, tinted(colour, 1.25)),
        (0.6, colour),
        (0.8, tinted(colour, 0.7)),
        (1.0, tinted(colour, 0.38)),
    )


def draw_car(pen: Pen, colour: RGB) -> None:
    """Draw a five-door hatchback, `CAR_LENGTH` long."""
    _shadow(pen, CAR_LENGTH)
    body = outline(
        "M 0.16 0.24 C 0.06 0.28 0.03 0.40 0.03 0.52 C 0.03 0.75 0.06 0.88 0.14 0.98"
        " C 0.26 1.16 0.40 1.34 0.58 1.41 C 0.95 1.50 1.55 1.53 1.95 1.50"
        " C 2.40 1.46 2.80 1.18 3.10 0.97 C 3.50 0.93 3.85 0.86 4.08 0.74"
        " C 4.22 0.66 4.28 0.55 4.27 0.42 C 4.27 0.30 4.22 0.24 4.10 0.22"
    )
    pen.fill(body, _body(colour))
    pen.fill(rectangle(0.9, 0.2, 3.2, 0.31), TRIM)
    pen.fill(outline("M 3.95 0.22 L 4.25 0.24 L 4.26 0.36 L 3.98 0.34"), TRIM)
    pen.fill(outline("M 0.05 0.36 L 0.4 0.34 L 0.4 0.24 L 0.12 0.24"), TRIM)
    _car_windows(pen, colour)
    _car_details(pen, colour)
    for x in (0.82, 3.42):
        _wheel(pen, (x, 0.315), 0.315)


def _car_windows(pen: Pen, colour: RGB) -> None:
    glass = outline(
        "M 0.40 1.02 C 0.50 1.20 0.62 1.34 0.80 1.38 C 1.20 1.44 1.60 1.45 1.92 1.42"
        " C 2.30 1.37 2.62 1.17 2.88 0.99 L 0.40 1.02"
    )
    pen.fill(glass, GLASS)
    pen.fill(outline("M 0.72 1.0 L 0.95 1.42 L 1.03 1.43 L 0.82 1.0"), flat(tinted(colour, 0.8)))
    pen.fill(rectangle(1.60, 0.99, 1.70, 1.46), TRIM)
    pen.fill(outline("M 2.38 0.98 L 2.36 1.27 L 2.42 1.24 L 2.44 0.98"), TRIM)
    shine = outline("M 1.85 1.40 L 2.10 1.36 L 1.95 1.0 L 1.78 1.0")
    pen.fill(shine, SHEEN, opacity=0.22)
    pen.fill(outline("M 1.1 1.41 L 1.3 1.42 L 1.15 1.01 L 0.98 1.01"), SHEEN, 0.16)
    # The heads of a driver and a seat give the glass depth.
    pen.fill(circle((2.0, 1.17), 0.1), flat((34, 32, 32)), 0.75)
    pen.fill(rectangle(1.75, 0.99, 1.95, 1.2, 0.06), flat((28, 28, 30)), 0.7)


def _car_details(pen: Pen, colour: RGB) -> None:
    for seam in (
        "M 1.65 0.99 L 1.66 0.34 L 2.55 0.34",
        "M 2.46 0.98 C 2.62 0.85 2.62 0.6 2.55 0.34",
        "M 1.66 0.34 L 1.22 0.34 C 1.18 0.6 0.9 0.75 0.78 1.0",
    ):
        pen.stroke(outline(seam), 0.014, SEAM, 0.75)
    pen.stroke(outline("M 0.2 0.86 C 1.4 0.93 2.6 0.9 3.9 0.72"), 0.022, flat((255, 255, 255)), 0.4)
    pen.stroke(outline("M 0.5 0.50 C 1.4 0.46 2.6 0.45 3.0 0.5"), 0.025, SEAM, 0.3)
    for x in (1.3, 2.06):
        pen.fill(rectangle(x, 0.85, x + 0.2, 0.89, 0.018), flat(tinted(colour, 0.6)))
        pen.fill(rectangle(x, 0.865, x + 0.2, 0.895, 0.013), flat(tinted(colour, 1.5)))
    pen.fill(rectangle(2.56, 0.95, 2.78, 1.09, 0.06), _body(tinted(colour, 0.85)))
    pen.fill(
        outline(
            "M 3.86 0.79 C 4.0 0.77 4.12 0.71 4.2 0.62 L 3.98 0.62 C 3.9 0.66 3.86 0.7 3.86 0.79"
        ),
        LAMP,
    )
    pen.fill(circle((4.05, 0.67), 0.035), flat((120, 130, 140)))
    pen.fill(
        outline("M 0.05 0.72 L 0.34 0.78 L 0.30 0.95 L 0.13 0.95 C 0.08 0.88 0.05 0.8 0.05 0.72"),
        TAIL_LAMP,
    )
    pen.fill(rectangle(4.05, 0.40, 4.26, 0.46), TRIM)


def draw_bus(pen: Pen, colour: RGB) -> None:
    """Draw a two-door city bus, `BUS_LENGTH` long."""
    _shadow(pen, BUS_LENGTH)
    pen.fill(rectangle(0.02, 0.30, 11.98, 3.05, 0.22), _body(colour))
    pen.fill(rectangle(0.8, 3.0, 4.2, 3.2, 0.08), _body(tinted(colour, 0.9)))
    pen.fill(rectangle(7.2, 3.0, 9.6, 3.16, 0.08), _body(tinted(colour, 0.9)))
    pen.fill(rectangle(0.25, 1.35, 11.97, 2.62, 0.12), flat((20, 22, 25)))
    _bus_windows(pen)
    pen.fill(rectangle(0.05, 0.80, 11.95, 0.92), flat((240, 240, 236)), 0.85)
    pen.fill(rectangle(0.05, 0.28, 11.95, 0.42), TRIM)
    _bus_doors(pen)
    pen.fill(rectangle(7.6, 2.68, 10.0, 2.95, 0.04), flat((18, 18, 18)))
    for column in range(14):
        pen.fill(rectangle(7.75 + column * 0.155, 2.75, 7.84 + column * 0.155, 2.88), AMBER)
    pen.fill(rectangle(11.72, 0.62, 11.97, 0.86, 0.06), LAMP)
    pen.fill(rectangle(0.03, 0.75, 0.16, 1.25, 0.04), TAIL_LAMP)
    pen.fill(rectangle(11.95, 1.9, 12.15, 2.5, 0.06), TRIM)
    for x in (2.9, 9.05):
        _wheel(pen, (x, 0.48), 0.48, spokes=8)


def _bus_windows(pen: Pen) -> None:
    for left, right in ((0.4, 1.6), (1.7, 3.1), (3.2, 4.6), (6.1, 7.5), (7.6, 9.0), (9.1, 9.9)):
        pen.fill(rectangle(left, 1.42, right, 2.55, 0.07), GLASS)
        pen.stroke([(left, 2.25), (right, 2.25)], 0.03, SEAM)
        pen.fill(circle((left + 0.45, 1.75), 0.13), flat((30, 28, 28)), 0.7)
        pen.fill(rectangle(left + 0.25, 1.42, left + 0.65, 1.66, 0.08), flat((44, 40, 60)), 0.7)
        slope = [(left + 0.55, 2.55), (left + 0.95, 2.55), (left + 0.6, 1.42), (left + 0.2, 1.42)]
        pen.fill(slope, SHEEN, 0.14)
    pen.fill(outline("M 11.15 1.2 L 11.15 2.55 L 11.93 2.55 L 11.96 1.2"), GLASS)


def _bus_doors(pen: Pen) -> None:
    for left in (4.75, 9.98):
        pen.fill(rectangle(left, 0.42, left + 1.1, 2.58, 0.04), flat((20, 22, 25)))
        for leaf in (left + 0.05, left + 0.58):
            pen.fill(rectangle(leaf, 0.55, leaf + 0.47, 2.5, 0.05), GLASS)


def draw_box_truck(pen: Pen, colour: RGB) -> None:
    """Draw a lorry with a white box body, `TRUCK_LENGTH` long."""
    _shadow(pen, TRUCK_LENGTH)
    white = (238, 238, 234)
    pen.fill(rectangle(0.1, 0.62, 8.2, 0.88), CHASSIS)
    pen.fill(rectangle(3.0, 0.42, 5.0, 0.78, 0.05), TANK)
    pen.fill(rectangle(0.0, 0.88, 6.3, 3.5, 0.04), _body(white))
    for x in (0.04, 6.2):
        pen.fill(rectangle(x, 0.88, x + 0.07, 3.5), flat((150, 152, 154)))
    for rib in range(1, 12):
        pen.stroke([(rib * 0.52, 0.95), (rib * 0.52, 3.42)], 0.02, SEAM, 0.18)
    pen.fill(rectangle(0.0, 0.86, 6.3, 0.98), flat((110, 112, 116)))
    pen.fill(rectangle(0.6, 1.9, 5.7, 2.5, 0.05), flat(colour), 0.9)
    _truck_cab(pen, colour)
    pen.fill(rectangle(0.0, 0.6, 0.12, 0.8), TAIL_LAMP)
    for x in (1.7, 7.35):
        _wheel(pen, (x, 0.48), 0.48, spokes=8)


def draw_tipper(pen: Pen, colour: RGB) -> None:
    """Draw a three-axle tipper loaded with earth, `TRUCK_LENGTH` long."""
    _shadow(pen, TRUCK_LENGTH)
    steel = (206, 150, 40)
    pen.fill(rectangle(0.2, 0.72, 8.2, 0.95), CHASSIS)
    pen.fill(outline("M 0 1.1 L 0.25 2.75 L 6.3 2.75 L 6.3 1 L 0.3 1"), _body(steel))
    for rib in range(8):
        left = 0.6 + rib * 0.8
        pen.fill(rectangle(left, 1.0, min(left + 0.12, 6.3), 2.75), _body(tinted(steel, 0.75)))
    pen.fill(rectangle(0.2, 2.65, 6.35, 2.85), _body(tinted(steel, 0.85)))
    load = outline("M 0.6 2.85 C 1.5 3.3 2.2 3.1 3 3.35 C 4 3.2 5 3.3 5.9 2.85")
    pen.fill(load, ((0.0, (150, 120, 90)), (1.0, (90, 70, 50))))
    pen.fill(rectangle(4.3, 0.5, 5.3, 1.0, 0.08), TANK)
    _truck_cab(pen, colour)
    for x in (1.5, 2.7, 7.35):
        _wheel(pen, (x, 0.5), 0.5, spokes=8)


def _truck_cab(pen: Pen, colour: RGB) -> None:
    cab = outline(
        "M 6.45 0.55 L 6.45 3.0 C 6.5 3.12 6.6 3.15 6.75 3.15 L 7.75 3.1"
        " C 8.0 3.05 8.15 2.6 8.35 1.9 C 8.5 1.6 8.55 1.2 8.55 0.9 L 8.55 0.42 L 6.5 0.42"
    )
    pen.fill(cab, _body(colour))
    pen.fill(outline("M 6.6 3.1 L 6.75 3.5 L 7.1 3.5 C 7.5 3.4 7.7 3.3 7.85 3.08"), _body(colour))
    pen.fill(outline("M 6.85 1.75 L 6.85 2.7 L 7.6 2.7 L 7.85 1.72"), GLASS)
    pen.fill(outline("M 7.78 2.75 L 8.02 2.7 L 8.33 1.8 L 8.08 1.75"), GLASS)
    pen.stroke(
        outline("M 6.72 0.95 L 6.72 2.85 L 7.72 2.85 L 8.0 1.75 L 7.95 0.95"), 0.025, SEAM, 0.8
    )
    pen.fill(rectangle(6.8, 1.42, 7.05, 1.5, 0.03), TRIM)
    pen.fill(rectangle(7.95, 1.9, 8.12, 2.5, 0.06), TRIM)
    pen.fill(rectangle(8.28, 0.72, 8.55, 0.98, 0.05), LAMP)
    pen.fill(rectangle(6.5, 0.4, 8.58, 0.6, 0.05), TRIM)

// The Chicago site: machining centres that are watched closely, and a coupled packing line.
import type { LineDef, MachineDef, SignalDef, SiteDef } from "#/simulator/model/definition.ts";
import {
  bin,
  cncNumberMeanings,
  cncNumbers,
  count,
  coupledMachine,
  faultCode,
  level,
  orders,
  packml,
  packmlSetUp,
  power,
  state,
  stops,
  temperature,
  vibration,
} from "#/simulator/model/kinds.ts";

/** Machining centre: batched JSON, a piece every few minutes, its counter was never reset. */
function machiningCentre(n: number, cycleS: number, modulus?: number): MachineDef {
  const rolling = modulus ? { modulus } : {};
  return {
    key: `cnc-0${n}`,
    name: `Machining centre ${n}`,
    kind: "cnc",
    form: "batched",
    cavities: 1,
    cycleS: { "pump-housing": cycleS, "valve-body": cycleS * 0.72, flange: cycleS * 0.55 },
    slowness: [1.02, 1.12],
    scrap: 0.008,
    rework: 0.012,
    minorStops: stops(0.7, 95, 0.5, ["1042", "1050", ""]),
    breakdowns: stops(0.045, 2100, 0.7, ["2003", "2017", "2110"]),
    stops: stops(0.25, 540, 0.6),
    ...(n % 2 === 0 ? { wears: { fault: "3001", part: "spindle bearing" } } : {}),
    worksThroughBreaks: true,
    stateEveryS: 30,
    noDataTimeoutS: 60,
    signals: [
      state(cncNumbers, cncNumberMeanings),
      count("good", null, "never", rolling),
      count("reject", null, "never", rolling),
      count("rework", null, "never", rolling),
      faultCode(),
      ...orders(),
      ...power(2.2, 17),
      vibration(1.3),
      temperature("spindle_temperature", "Spindle bearing", { span: 27, lagMin: 18, wear: 21 }),
      // this control reports degrees Fahrenheit
      temperature("coolant_temperature", "Coolant", { ambient: 20, span: 9, lagMin: 30, noise: 0.1 }, { scale: 5 / 9, offset: -160 / 9 }),
      level("spindle_speed", "Spindle speed", "/min", { rest: 0, idle: 0, full: 8600, noise: 160 }, 20_000),
      ...(n <= 2 ? [bin("coolant_level", "Coolant", "%", { full: 100, perPiece: 0.35, noise: 0.2 })] : []),
    ],
  };
}

const machining: LineDef = {
  key: "machining-1",
  name: "Machining 1",
  coupled: null,
  pattern: "continuous",
  changeoverMin: [30, 80],
  jobHours: [9, 40],
  products: ["pump-housing", "valve-body", "flange"],
  machines: [
    machiningCentre(1, 240),
    machiningCentre(2, 240),
    // a four-digit counter on the panel
    machiningCentre(3, 210, 10_000),
    machiningCentre(4, 210),
    machiningCentre(5, 300),
    machiningCentre(6, 300),
  ],
};

type PackingOptions = { cycleS: number; scrap: number; minor: number; kw: number; extra: SignalDef[]; wears?: MachineDef["wears"] };

const packing = (key: string, name: string, o: PackingOptions): MachineDef =>
  coupledMachine({
    key,
    name,
    kind: "packer",
    cycleS: { "kit-small": o.cycleS, "kit-large": o.cycleS * 1.4 },
    slowness: [1.01, 1.05],
    scrap: o.scrap,
    minorStops: stops(o.minor, 42, 0.6, ["K-101", "K-102"]),
    breakdowns: stops(0.04, 840, 0.6, ["K-201", "K-202"]),
    stops: stops(0.08, 360, 0.5),
    wears: o.wears,
    state: state(packml, packmlSetUp),
    resets: "job",
    drawn: power(o.kw * 0.2, o.kw),
    extra: o.extra,
  });

const packingLine: LineDef = {
  key: "packing-1",
  name: "Packing 1",
  coupled: { bufferPieces: 25, constraint: "cartoner" },
  pattern: "two-shift",
  changeoverMin: [10, 25],
  jobHours: [4, 11],
  products: ["kit-small", "kit-large"],
  machines: [
    packing("cartoner", "Cartoner", {
      cycleS: 2.6,
      scrap: 0.01,
      minor: 1.2,
      kw: 8,
      wears: { fault: "K-301", part: "magazine drive" },
      extra: [vibration(1.7), bin("cartons", "Cartons in the magazine", "1", { full: 900, perPiece: 1 })],
    }),
    packing("checkweigher", "Checkweigher", {
      cycleS: 2.1,
      scrap: 0.007,
      minor: 0.3,
      kw: 1.5,
      extra: [level("net_weight", "Net weight, mean of ten", "g", { rest: 0, idle: 0, full: 742, noise: 2.4 }, 3000)],
    }),
    packing("wrapper", "Wrapper", {
      cycleS: 2.2,
      scrap: 0,
      minor: 0.9,
      kw: 11,
      extra: [temperature("sealing_temperature", "Sealing bar", { span: 143, lagMin: 7, noise: 0.7 })],
    }),
    packing("case-packer", "Case packer", { cycleS: 2.15, scrap: 0, minor: 0.8, kw: 9, extra: [vibration(1.5)] }),
    packing("palletizer", "Palletizer", { cycleS: 2.0, scrap: 0, minor: 0.4, kw: 14, extra: [vibration(1.2)] }),
  ],
};

export const chicago: SiteDef = {
  key: "chicago",
  name: "Chicago",
  zone: "America/Chicago",
  patterns: [
    {
      key: "two-shift",
      name: "Two shifts, Monday to Saturday",
      shifts: [
        {
          key: "first",
          name: "First",
          days: "mon-sat",
          start: "06:00",
          end: "14:30",
          breaks: [
            { name: "Break", start: "08:00", end: "08:15" },
            { name: "Lunch", start: "11:00", end: "11:30" },
          ],
        },
        { key: "second", name: "Second", days: "mon-sat", start: "14:30", end: "23:00", breaks: [{ name: "Dinner", start: "18:30", end: "19:00" }] },
      ],
    },
    {
      key: "continuous",
      name: "Round the clock",
      shifts: [
        { key: "day", name: "Day", days: "daily", start: "06:00", end: "18:00", breaks: [{ name: "Lunch", start: "11:30", end: "12:00" }] },
        { key: "night", name: "Night", days: "daily", start: "18:00", end: "06:00", breaks: [{ name: "Meal", start: "01:30", end: "02:00" }] },
      ],
    },
  ],
  reasons: [
    {
      key: "machining-trouble",
      name: "Machining centre",
      loss: "breakdown",
      reasons: [
        { key: "tool-changer", name: "Tool changer", loss: "breakdown", faultCode: "2003" },
        { key: "axis-drive", name: "Axis drive", loss: "breakdown", faultCode: "2017" },
        { key: "coolant-pump", name: "Coolant pump", loss: "breakdown", faultCode: "2110" },
        { key: "spindle-bearing", name: "Spindle bearing", loss: "breakdown", faultCode: "3001" },
        { key: "door-open", name: "Door open", loss: "minor_stop", faultCode: "1042" },
        { key: "chip-jam", name: "Chips jammed", loss: "minor_stop", faultCode: "1050" },
      ],
    },
    {
      key: "packing-trouble",
      name: "Packing line",
      loss: "breakdown",
      reasons: [
        { key: "servo-fault", name: "Servo drive", loss: "breakdown", faultCode: "K-201" },
        { key: "light-curtain", name: "Light curtain", loss: "breakdown", faultCode: "K-202" },
        { key: "magazine-drive", name: "Magazine drive", loss: "breakdown", faultCode: "K-301" },
        { key: "carton-jam", name: "Carton jammed", loss: "minor_stop", faultCode: "K-101" },
        { key: "flap-open", name: "Flap open", loss: "minor_stop", faultCode: "K-102" },
      ],
    },
    { key: "set-up", name: "Set-up", loss: "changeover" },
    { key: "no-material", name: "No material", loss: "external" },
    { key: "meeting", name: "Meeting", loss: "planned" },
  ],
  teams: [
    { key: "maintenance", name: "Maintenance" },
    { key: "quality", name: "Quality" },
  ],
  sources: [],
  areas: [
    { key: "machining", name: "Machining", lines: [machining] },
    { key: "packing", name: "Packing", lines: [packingLine] },
  ],
};

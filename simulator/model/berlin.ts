// The Berlin site: a stamping shop, injection moulding that speaks Sparkplug, and a coupled filling line.
import type { LineDef, MachineDef, SignalDef, SiteDef } from "#/simulator/model/definition.ts";
import {
  bin,
  count,
  coupledMachine,
  faultCode,
  level,
  orders,
  packml,
  packmlNames,
  packmlSetUp,
  packmlWithoutSuspended,
  power,
  pressWordMeanings,
  pressWords,
  state,
  stops,
  temperature,
  vibration,
} from "#/simulator/model/kinds.ts";

const brackets = ["bracket-l", "bracket-r", "hinge-plate"];

/** Eccentric press, batched JSON. `counting` tells its counter's kind: most go to 0 with the shift. */
function press(n: number, cycleS: number, options: { counts?: SignalDef[]; withState?: boolean; wears?: MachineDef["wears"] } = {}): MachineDef {
  const counts = options.counts ?? [count("good", 10, "shift"), count("reject", 10, "shift")];
  return {
    key: `press-0${n}`,
    name: `Press ${n}`,
    kind: "press",
    form: "batched",
    cavities: 1,
    cycleS: { "bracket-l": cycleS, "bracket-r": cycleS, "hinge-plate": cycleS * 1.25 },
    slowness: [1.02, 1.09],
    scrap: 0.012,
    rework: 0,
    minorStops: stops(2.2, 55, 0.6, ["P-110", "P-111", ""]),
    breakdowns: stops(0.06, 1100, 0.6, ["P-201", "P-204", "P-230"]),
    stops: stops(0.22, 480, 0.5),
    wears: options.wears,
    worksThroughBreaks: false,
    stateEveryS: 30,
    noDataTimeoutS: 60,
    signals: [
      ...(options.withState === false ? [] : [state(pressWords, pressWordMeanings)]),
      ...counts,
      ...(options.withState === false ? [] : [faultCode()]),
      ...orders(),
      ...power(3, 38),
      vibration(2.6),
      temperature("bearing_temperature", "Main bearing", { span: 31, lagMin: 24, wear: 24 }),
      ...(n <= 2 ? [level("tonnage", "Press force, peak", "kN", { rest: 0, idle: 0, full: 1180, noise: 14, wear: 1.06 }, 2000)] : []),
    ],
  };
}

const stamping: LineDef = {
  key: "stamping-1",
  name: "Stamping 1",
  coupled: null,
  pattern: "two-shift",
  changeoverMin: [14, 38],
  jobHours: [5, 14],
  products: brackets,
  machines: [
    press(1, 2.4, { wears: { fault: "P-301", part: "main bearing" } }),
    press(2, 2.4),
    press(3, 3),
    // an old control: it only ever says how many pieces it made since it last said so
    press(4, 3.2, { counts: [count("good", 10, "day", { counter: "increment" }), count("reject", 10, "day", { counter: "increment" })] }),
    // retrofitted with a counter alone: it runs while pieces come
    press(5, 3.6, { withState: false }),
    press(6, 2.8, { wears: { fault: "P-301", part: "main bearing" } }),
  ],
};

/** Injection moulding machine behind the Sparkplug edge node. */
function moulder(n: number, cavities: number, cycleS: number, counting: SignalDef[], wears?: MachineDef["wears"]): MachineDef {
  return {
    key: `imm-0${n}`,
    name: `Moulding machine ${n}`,
    kind: "injection_moulding",
    form: "sparkplug",
    cavities,
    cycleS: { "cap-28": cycleS, "cap-38": cycleS * 1.15, "closure-ring": cycleS * 0.9 },
    slowness: [1.005, 1.05],
    scrap: 0.014,
    rework: 0,
    minorStops: stops(0.5, 80, 0.6, ["M-401", "M-405"]),
    breakdowns: stops(0.05, 1500, 0.7, ["M-510", "M-520", "M-533"]),
    stops: stops(0.1, 420, 0.5),
    wears,
    worksThroughBreaks: true,
    stateEveryS: 60,
    noDataTimeoutS: 120,
    signals: [
      state(packml, packmlSetUp, "Status/State"),
      ...counting,
      { ...faultCode(), metric: "Status/Fault" },
      { key: "job", name: "Job", role: "job", unit: "", feed: { of: "job" }, metric: "Order/Job" },
      { key: "product", name: "Product", role: "product", unit: "", feed: { of: "product" }, metric: "Order/Product" },
      temperature("melt_temperature", "Melt", { span: 205, lagMin: 16, noise: 0.6 }, { metric: "Process/Melt Temperature" }),
      temperature("mould_temperature", "Mould", { span: 33, lagMin: 9, wear: 9 }, { metric: "Process/Mould Temperature" }),
      { ...level("clamp_force", "Clamp force", "kN", { rest: 0, idle: 120, full: 1620, noise: 11, wear: 0.86 }, 3000), metric: "Process/Clamp Force" },
      ...power(6, 41).map((signal) => ({ ...signal, metric: signal.key === "energy" ? "Energy/Total" : "Energy/Power" })),
      ...(n % 2 === 1 ? [{ ...bin("hopper", "Granulate in the hopper", "kg", { full: 120, perPiece: 0.0024, noise: 0.05 }), metric: "Material/Hopper" }] : []),
    ],
  };
}

const shots = (resets: "never" | "job" | "day", modulus?: number): SignalDef[] => [
  count("good", null, resets, { metric: "Counts/Good", ...(modulus ? { modulus } : {}) }),
  count("reject", null, resets, { metric: "Counts/Reject", ...(modulus ? { modulus } : {}) }),
];

const moulding: LineDef = {
  key: "moulding-1",
  name: "Moulding 1",
  coupled: null,
  pattern: "continuous",
  changeoverMin: [25, 70],
  jobHours: [16, 60],
  products: ["cap-28", "cap-38", "closure-ring"],
  edge: { group: "berlin", node: "moulding-1" },
  machines: [
    moulder(1, 8, 22, shots("job")),
    moulder(2, 8, 22, shots("job"), { fault: "M-610", part: "toggle" }),
    // a 16-bit register that nobody resets: it rolls over about every three days
    moulder(3, 8, 24, shots("never", 65_536)),
    moulder(4, 4, 19, shots("day")),
    moulder(5, 4, 19, [count("total", null, "job", { metric: "Counts/Total" }), count("reject", null, "job", { metric: "Counts/Reject" })]),
    moulder(6, 16, 30, shots("day"), { fault: "M-610", part: "toggle" }),
    moulder(7, 16, 31, shots("job")),
  ],
};

type FillingOptions = { cycleS: number; scrap: number; minor: number; extra: SignalDef[]; suspended?: boolean; wears?: MachineDef["wears"]; kw: number };

const filling = (key: string, name: string, kind: string, o: FillingOptions): MachineDef =>
  coupledMachine({
    key,
    name,
    kind,
    cycleS: { "water-05": o.cycleS, "water-10": o.cycleS * 1.3, "tea-05": o.cycleS },
    slowness: [1.01, 1.03],
    scrap: o.scrap,
    minorStops: stops(o.minor, 38, 0.6, ["F-120", "F-121", "F-130"]),
    breakdowns: stops(0.035, 900, 0.6, ["F-210", "F-240"]),
    stops: stops(0.05, 300, 0.4),
    wears: o.wears,
    state: state(o.suspended === false ? packmlWithoutSuspended : packmlNames),
    resets: "shift",
    drawn: power(o.kw * 0.15, o.kw),
    extra: o.extra,
  });

const onScale = (signal: SignalDef, scale: string): SignalDef => ({
  ...signal,
  mapped: { topic: `factory/scales/${scale}`, path: "reading.net.value", tsPath: "time", source: "berlin/scales" },
});

const fillingLine: LineDef = {
  key: "filling-1",
  name: "Filling and packing 1",
  coupled: { bufferPieces: 40, constraint: "filler" },
  pattern: "three-shift",
  changeoverMin: [20, 45],
  jobHours: [7, 20],
  products: ["water-05", "water-10", "tea-05"],
  machines: [
    filling("depalletiser", "Depalletiser", "depalletiser", { cycleS: 1.35, scrap: 0, minor: 0.9, extra: [vibration(1.6)], kw: 7 }),
    filling("filler", "Filler", "filler", {
      cycleS: 1.6,
      scrap: 0.006,
      minor: 0.7,
      kw: 26,
      wears: { fault: "F-310", part: "filling pump" },
      extra: [
        temperature("product_temperature", "Product", { ambient: 14, span: -6, lagMin: 12, noise: 0.15 }, { high: 60 }),
        vibration(2.1),
        level("fill_pressure", "Filling pressure", "bar", { rest: 0.02, idle: 2.1, full: 3.4, noise: 0.05, wear: 0.8 }, 10),
      ],
    }),
    filling("capper", "Capper", "capper", {
      cycleS: 1.4,
      scrap: 0.004,
      minor: 1.3,
      kw: 9,
      extra: [
        level("torque", "Capping torque", "N.m", { rest: 0, idle: 0, full: 1.9, noise: 0.06 }, 6),
        onScale(bin("cap_bin", "Caps in the bin", "kg", { full: 60, perPiece: 0.0024, noise: 0.02 }), "s-17"),
      ],
    }),
    filling("labeller", "Labeller", "labeller", {
      cycleS: 1.38,
      scrap: 0.008,
      minor: 1.6,
      kw: 8,
      suspended: false,
      extra: [
        temperature("glue_temperature", "Glue", { span: 118, lagMin: 9, noise: 0.5 }),
        onScale(bin("label_reel", "Labels on the reel", "kg", { full: 24, perPiece: 0.0018, noise: 0.02 }), "s-18"),
      ],
    }),
    filling("packer", "Packer", "packer", {
      cycleS: 1.36,
      scrap: 0,
      minor: 1.1,
      kw: 12,
      wears: { fault: "F-320", part: "gripper drive" },
      extra: [vibration(1.9)],
    }),
    filling("palletiser", "Palletiser", "palletiser", { cycleS: 1.3, scrap: 0, minor: 0.5, kw: 15, extra: [vibration(1.4)] }),
  ],
};

export const berlin: SiteDef = {
  key: "berlin",
  name: "Berlin",
  zone: "Europe/Berlin",
  patterns: [
    {
      key: "two-shift",
      name: "Two shifts, Monday to Saturday",
      shifts: [
        {
          key: "early",
          name: "Early",
          days: "mon-sat",
          start: "06:00",
          end: "14:00",
          breaks: [
            { name: "Breakfast", start: "09:00", end: "09:15" },
            { name: "Lunch", start: "11:30", end: "12:00" },
          ],
        },
        { key: "late", name: "Late", days: "mon-sat", start: "14:00", end: "22:00", breaks: [{ name: "Supper", start: "18:00", end: "18:30" }] },
      ],
    },
    {
      key: "three-shift",
      name: "Three shifts, Monday to Saturday",
      shifts: [
        { key: "early", name: "Early", days: "mon-sat", start: "06:00", end: "14:00", breaks: [{ name: "Break", start: "10:00", end: "10:30" }] },
        { key: "late", name: "Late", days: "mon-sat", start: "14:00", end: "22:00", breaks: [{ name: "Break", start: "18:00", end: "18:30" }] },
        { key: "night", name: "Night", days: "mon-sat", start: "22:00", end: "06:00", breaks: [{ name: "Break", start: "02:00", end: "02:30" }] },
      ],
    },
    {
      key: "continuous",
      name: "Round the clock",
      shifts: [
        { key: "early", name: "Early", days: "daily", start: "06:00", end: "14:00", breaks: [] },
        { key: "late", name: "Late", days: "daily", start: "14:00", end: "22:00", breaks: [] },
        { key: "night", name: "Night", days: "daily", start: "22:00", end: "06:00", breaks: [] },
      ],
    },
  ],
  reasons: [
    {
      key: "press-trouble",
      name: "Press",
      loss: "breakdown",
      reasons: [
        { key: "clutch", name: "Clutch or brake", loss: "breakdown", faultCode: "P-201" },
        { key: "hydraulics", name: "Overload hydraulics", loss: "breakdown", faultCode: "P-204" },
        { key: "tool-broken", name: "Tool broken", loss: "breakdown", faultCode: "P-230" },
        { key: "main-bearing", name: "Main bearing", loss: "breakdown", faultCode: "P-301" },
        { key: "strip-jam", name: "Strip jammed", loss: "minor_stop", faultCode: "P-110" },
        { key: "part-not-ejected", name: "Part not ejected", loss: "minor_stop", faultCode: "P-111" },
      ],
    },
    {
      key: "moulding-trouble",
      name: "Moulding machine",
      loss: "breakdown",
      reasons: [
        { key: "heater-band", name: "Heater band", loss: "breakdown", faultCode: "M-510" },
        { key: "nozzle-blocked", name: "Nozzle blocked", loss: "breakdown", faultCode: "M-520" },
        { key: "robot-fault", name: "Removal robot", loss: "breakdown", faultCode: "M-533" },
        { key: "toggle-worn", name: "Toggle worn", loss: "breakdown", faultCode: "M-610" },
        { key: "mould-protection", name: "Mould protection tripped", loss: "minor_stop", faultCode: "M-401" },
        { key: "part-sticks", name: "Part sticks in the mould", loss: "minor_stop", faultCode: "M-405" },
      ],
    },
    {
      key: "filling-trouble",
      name: "Filling line",
      loss: "breakdown",
      reasons: [
        { key: "drive-fault", name: "Drive", loss: "breakdown", faultCode: "F-210" },
        { key: "safety-circuit", name: "Safety circuit", loss: "breakdown", faultCode: "F-240" },
        { key: "filling-pump", name: "Filling pump", loss: "breakdown", faultCode: "F-310" },
        { key: "gripper-drive", name: "Gripper drive", loss: "breakdown", faultCode: "F-320" },
        { key: "bottle-fallen", name: "Bottle fallen over", loss: "minor_stop", faultCode: "F-120" },
        { key: "bottle-jam", name: "Bottles jammed", loss: "minor_stop", faultCode: "F-121" },
        { key: "sensor-dirty", name: "Sensor dirty", loss: "minor_stop", faultCode: "F-130" },
      ],
    },
    { key: "set-up", name: "Set-up", loss: "changeover" },
    { key: "cleaning", name: "Cleaning", loss: "planned" },
    { key: "no-material", name: "No material", loss: "external" },
    { key: "no-operator", name: "No operator", loss: "other" },
  ],
  teams: [
    { key: "maintenance", name: "Maintenance" },
    { key: "toolmakers", name: "Toolmakers" },
    { key: "line-support", name: "Line support" },
  ],
  sources: [{ form: "mapped", address: "berlin/scales", noDataTimeoutS: 180 }],
  areas: [
    { key: "press-shop", name: "Press shop", lines: [stamping] },
    { key: "moulding", name: "Injection moulding", lines: [moulding] },
    { key: "filling", name: "Filling", lines: [fillingLine] },
  ],
};

import { describe, expect, it } from "vitest";
import { DataType } from "./datatype.ts";
import { decode, double, type Metric, TestEdge, t0, Watched } from "./testing.ts";

const definition: Metric = {
  name: "Pump",
  timestamp: t0,
  datatype: DataType.Template,
  templateValue: {
    isDefinition: true,
    version: "v1",
    metrics: [double("speed", 0), { name: "on", datatype: DataType.Boolean, isNull: true }],
    parameters: [{ name: "maker", type: 12, stringValue: "none" }],
  },
};
const instance = (metrics: Metric[], more: Metric = { name: "P101" }): Metric => ({
  timestamp: t0,
  datatype: DataType.Template,
  templateValue: { isDefinition: false, templateRef: "Pump", version: "v1", metrics, parameters: [{ name: "maker", type: 12, stringValue: "KSB" }] },
  ...more,
});

describe("templates", () => {
  it("[tck-id-topics-nbirth-templates] [tck-id-payloads-template-definition-nbirth-only] [tck-id-payloads-template-definition-nbirth] [tck-id-payloads-template-definition-is-definition] [tck-id-payloads-template-definition-ref] [tck-id-payloads-template-definition-members] [tck-id-payloads-template-definition-parameters] [tck-id-payloads-template-definition-parameters-default] [tck-id-payloads-template-is-definition] [tck-id-payloads-template-is-definition-definition] [tck-id-payloads-template-ref-definition] gives out nothing of a definition: it describes, it does not measure", () => {
    const watched = new Watched();
    watched.send(new TestEdge().nbirth([definition]));
    expect(watched.out).toMatchObject({ values: [], refused: [], own: 3 });
  });

  it("[tck-id-payloads-template-instance-is-definition] [tck-id-payloads-template-is-definition-instance] [tck-id-payloads-template-instance-ref] [tck-id-payloads-template-ref-instance] [tck-id-payloads-template-instance-members] [tck-id-payloads-template-instance-members-birth] gives out each member of an instance as instance/member", () => {
    const watched = new Watched();
    watched.send(new TestEdge().nbirth([definition, instance([double("speed", 1450), { name: "on", datatype: DataType.Boolean, booleanValue: true }])]));
    expect(watched.got).toEqual(["P101/speed=1450", "P101/on=true"]);
    expect(watched.out.values[1]).toMatchObject({ at: t0 });
  });

  it("[tck-id-payloads-template-instance-members-data] takes some of the members in data, by name or alias, with the types of the birth, deep ones too", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    const inner = { ...instance([{ name: "steps", alias: 5, datatype: DataType.Int8, intValue: 1 }], { name: "drive" }) };
    watched.send(edge.nbirth([definition, instance([double("speed", 1), inner], { name: "P101", alias: 9 })]));
    expect(watched.got).toEqual(["P101/speed=1", "P101/drive/steps=1"]);
    watched.send(edge.ndata([instance([instance([{ name: "steps", intValue: 0xff }], { name: "drive" })], { alias: 9 })]));
    watched.send(edge.ndata([instance([{ name: "speed", doubleValue: 2, isHistorical: true }], { name: "P101", isTransient: true })]));
    watched.send(edge.ndata([instance([instance([{ alias: 5, intValue: 0xfe }], { name: "drive" })], { alias: 9 })]));
    expect(watched.got.slice(2)).toEqual(["P101/drive/steps=-1", "P101/speed=2", "P101/drive/steps=-2"]);
    expect(watched.out.values[3]).toMatchObject({ historical: true, transient: true });
    expect(watched.rebirths).toBe(0);
  });

  it("[tck-id-payloads-template-version] [tck-id-payloads-template-instance-parameters] [tck-id-payloads-template-parameter-name-required] [tck-id-payloads-template-parameter-name-type] [tck-id-payloads-template-parameter-value-type] [tck-id-payloads-template-parameter-type-value] [tck-id-payloads-template-parameter-type-req] [tck-id-payloads-template-parameter-value] passes over version and parameters, whatever they are", () => {
    const watched = new Watched();
    const parameters = [
      { name: "a", type: 10, doubleValue: 1 },
      { type: 12, stringValue: "nameless" },
      { name: "typeless", intValue: 3 },
    ];
    watched.send(
      new TestEdge().nbirth([{ ...instance([]), templateValue: { templateRef: "Pump", isDefinition: false, metrics: [double("speed", 3)], parameters } }]),
    );
    expect(watched.got).toEqual(["P101/speed=3"]);
    expect(watched.out.refused).toEqual([]);
  });

  it("refuses a template that is cut off, nameless members, and one nested without end; the rest of the message is taken", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    let deep: Metric = double("bottom", 1);
    for (let i = 0; i < 20; i++) deep = { name: `level${i}`, datatype: DataType.Template, templateValue: { isDefinition: false, metrics: [deep] } };
    watched.send(edge.nbirth([deep, instance([{ datatype: DataType.Double, doubleValue: 1 }, double("speed", 5)]), double("z", 1)]));
    expect(watched.got).toEqual(["P101/speed=5", "z=1"]);
    expect(watched.out.refused.map((r) => r.reason)).toEqual([
      expect.stringMatching(/nested deeper than 16/),
      expect.stringMatching(/P101 has 1 members without a name/),
    ]);
    expect(decode(watched.out.refused[1]!.payload).metrics).toHaveLength(1);
  });
});

// Rules as ops teams write them: four of five only compare biz_type, status and node; the rest nests any and not,
// compares numbers and looks into texts. The same seed gives the same rules.

/** A small generator with a seed (mulberry32): numbers from 0 up to 1. */
export function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const pick = (next, list) => list[Math.floor(next() * list.length)];
const bizType = (n) => `biz_type_${n}`;
const node = (n) => `approval_${n.toString(16)}`;
const flow = (n) => `people_${7_182_520 + n}_${n}`;
const leaf = (fact, operator, value) => ({ fact, operator, value });

export function makeRules(count) {
  const next = random(42);
  const types = Math.max(2, Math.round(count / 25));
  const nodes = Math.max(4, Math.round(count / 10));
  const some = (n) => Math.floor(next() * n);
  return Array.from({ length: count }, (_, at) => {
    const biz = leaf('biz_type', 'equal', bizType(some(types)));
    const status = leaf('status', 'equal', 1 + some(4));
    const at2 = leaf('node_definition_id', 'equal', node(some(nodes)));
    const name = `rule-${String(at).padStart(5, '0')}`;
    if (at % 5 !== 4) {
      const shape = some(3);
      if (shape === 0) return { name, conditions: { all: [biz, status, at2] } };
      if (shape === 1)
        return {
          name,
          conditions: {
            all: [
              biz,
              status,
              leaf('node_definition_id', 'in', [node(some(nodes)), node(some(nodes)), node(some(nodes))]),
            ],
          },
        };
      return { name, conditions: { all: [biz, leaf('status', 'in', [1 + some(2), 3 + some(2)]), at2] } };
    }
    const other = leaf('biz_type', 'equal', bizType(some(types)));
    switch (Math.floor(at / 5) % 5) {
      case 0:
        return {
          name,
          conditions: {
            any: [
              { all: [biz, status, at2] },
              { all: [other, leaf('status', 'equal', 2), leaf('type', 'equal', 5)] },
            ],
          },
        };
      case 1:
        return {
          name,
          conditions: {
            all: [biz, { not: { any: [leaf('status', 'equal', 1), leaf('status', 'equal', 4)] } }, at2],
          },
        };
      case 2:
        return {
          name,
          conditions: { all: [leaf('type', 'greaterThanInclusive', 2), { any: [biz, other] }, status, at2] },
        };
      case 3:
        return {
          name,
          conditions: {
            all: [
              biz,
              leaf('flow_definition_id', 'startsWith', flow(some(nodes)).slice(0, 13)),
              leaf('status', 'notEqual', 1),
            ],
          },
        };
      default:
        return {
          name,
          conditions: {
            any: [
              { all: [leaf('flow_definition_id', 'containsText', `_${some(nodes)}`), biz, status] },
              { all: [at2, other, { not: status }] },
            ],
          },
        };
    }
  });
}

/** An event that is made to suit one of the rules, chosen at random. */
export function makeEvent(next, rules) {
  const plain = {
    process_id: String(7_072_306_364_927_000_000n + BigInt(Math.floor(next() * 1e9))),
    approver_id: String(7_072_306_364_928_000_000n + BigInt(Math.floor(next() * 1e9))),
    type: pick(next, [1, 5]),
    status: 1 + Math.floor(next() * 4),
    biz_type: 'other',
    flow_definition_id: flow(Math.floor(next() * rules.length)),
    node_definition_id: node(Math.floor(next() * rules.length)),
    node_id: '7369419552616089132',
    event_type: 'corehr.process.approver.updated_v2',
  };
  const suit = (one) => {
    if (one.all) one.all.forEach(suit);
    else if (one.any) suit(pick(next, one.any));
    else if (one.operator === 'equal') plain[one.fact] = one.value;
    else if (one.operator === 'in') plain[one.fact] = pick(next, one.value);
    else if (one.operator === 'greaterThanInclusive') plain[one.fact] = 5;
    else if (one.operator === 'startsWith') plain[one.fact] = `${one.value}_1`;
    else if (one.operator === 'containsText') plain[one.fact] = `people${one.value}`;
  };
  suit(pick(next, rules).conditions);
  return { plain, facts: new Map(Object.entries(plain)) };
}

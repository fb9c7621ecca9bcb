import { parser } from '@prometheus-io/lezer-promql';

/** What one PromQL expression asks for. */
export interface Query {
  /** Where it cannot be parsed: the text from there on. */
  readonly errors: string[];
  readonly selectors: { readonly metric: string; readonly labels: string[] }[];
  /** Labels of by, without, on and ignoring. */
  readonly grouping: string[];
}

/** Parses an expression with Prometheus' own grammar. Variables of Grafana that stand for a duration are put in. */
export function parsePromQl(text: string): Query {
  const expression = text.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '1h');
  const query: Query = { errors: [], selectors: [], grouping: [] };
  let isGrouping = false;
  parser.parse(expression).iterate({
    enter: ({ type, from, to }) => {
      const said = expression.slice(from, to);
      if (type.isError) query.errors.push(expression.slice(from));
      else if (type.name === 'GroupingLabels') isGrouping = true;
      else if (type.name === 'VectorSelector') query.selectors.push({ metric: '', labels: [] });
      else if (type.name === 'Identifier') {
        const last = query.selectors.pop();
        query.selectors.push({ metric: said, labels: last?.labels ?? [] });
      } else if (type.name === 'LabelName')
        (isGrouping ? query.grouping : (query.selectors.at(-1)?.labels ?? [])).push(said);
    },
    leave: ({ type }) => {
      if (type.name === 'GroupingLabels') isGrouping = false;
    },
  });
  return query;
}

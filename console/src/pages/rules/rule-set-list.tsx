import { PageHead } from '../../parts/page-head.js';

export default function RuleSetList() {
  return <PageHead title="RuleSetList" />;
}

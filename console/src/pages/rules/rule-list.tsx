import { PageHead } from '../../parts/page-head.js';

export default function RuleList() {
  return <PageHead title="RuleList" />;
}

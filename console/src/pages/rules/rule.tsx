import { PageHead } from '../../parts/page-head.js';

export default function RulePage() {
  return <PageHead title="RulePage" />;
}

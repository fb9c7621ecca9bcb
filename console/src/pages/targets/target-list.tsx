import { PageHead } from '../../parts/page-head.js';

export default function TargetList() {
  return <PageHead title="TargetList" />;
}

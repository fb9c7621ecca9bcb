import { PageHead } from '../../parts/page-head.js';

export default function SilenceList() {
  return <PageHead title="SilenceList" />;
}

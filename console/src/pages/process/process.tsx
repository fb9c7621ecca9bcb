import { PageHead } from '../../parts/page-head.js';

export default function ProcessPage() {
  return <PageHead title="ProcessPage" />;
}

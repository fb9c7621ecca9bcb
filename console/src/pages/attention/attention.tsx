import { PageHead } from '../../parts/page-head.js';

export default function Attention() {
  return <PageHead title="Attention" />;
}

import { PageHead } from '../../parts/page-head.js';

export default function DeliveryPage() {
  return <PageHead title="DeliveryPage" />;
}

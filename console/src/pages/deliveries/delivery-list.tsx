import { PageHead } from '../../parts/page-head.js';

export default function DeliveryList() {
  return <PageHead title="DeliveryList" />;
}

import { PageHead } from '../../parts/page-head.js';

export default function AuditLog() {
  return <PageHead title="AuditLog" />;
}

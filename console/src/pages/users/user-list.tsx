import { PageHead } from '../../parts/page-head.js';

export default function UserList() {
  return <PageHead title="UserList" />;
}

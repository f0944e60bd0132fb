import { Awake } from "#/components/frame/awake.tsx";
import { NoPermission } from "#/components/frame/no-permission.tsx";

export default function ForbiddenInside() {
  return (
    <>
      <NoPermission />
      <Awake />
    </>
  );
}

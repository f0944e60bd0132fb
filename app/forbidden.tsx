import { Awake } from "#/components/frame/awake.tsx";
import { NoPermission } from "#/components/frame/no-permission.tsx";
import { HelpFrame } from "./help-frame.tsx";

export default function Forbidden() {
  return (
    <HelpFrame>
      <NoPermission />
      <Awake />
    </HelpFrame>
  );
}

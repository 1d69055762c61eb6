from tests.actions.test_exactness import machine, run, Exactness, pytestmark
from collections import Counter
import tests.actions.exactness as ex
def test_dbg(machine, monkeypatch):
    seen=Counter()
    orig=Exactness._check_slots
    def chk(self):
        seen["clock "+self.queue.stopping+" "+str(self.queue.audit_percent)]+=1
        for pair,told in self.pairs.items(): seen[(self.queue.stopping,len(self.counting(told)),self.wanted(pair))]+=1
        return orig(self)
    monkeypatch.setattr(Exactness,"_check_slots",chk)
    w=Exactness.work.function if hasattr(Exactness.work,"function") else None
    run(machine,40)
    for k,v in sorted(seen.items(),key=str): print(k,v)

import io, json
import pytest
from django.core.files.base import ContentFile
from labeling.actions.import_items import start_batch, store_file, run_step
from labeling.models import *
from tests import make
pytestmark = pytest.mark.django_db

def test_a():
    p = make.project(); 
    rows = [{"id": f"x{n}", "prompt": f"Q{n}", "response_a": "a", "response_b": "b", "meta":{"n": 10**30}, "gold":{"helpfulness":"a"}} for n in range(2500)]
    rows[7]["prompt"] = None
    f = ContentFile("\n".join(map(json.dumps, rows)).encode(), name="x.jsonl")
    b = start_batch(project=p, by=None, name="x.jsonl", stored=store_file(f))
    assert run_step(b, seconds=0)
    assert b.read == 1000 and b.state == "waiting"
    assert run_step(b, seconds=0)
    assert not run_step(b, seconds=10)
    b.refresh_from_db()
    print(vars(b))
    assert (b.read, b.kept, b.refused) == (2500, 2499, 1)
    assert Pair.objects.count() == 2499 and Slot.objects.count() == 2499*3
    i = Item.objects.get(external_id="x3"); print(vars(i), list(i.responses.values()))
    assert i.metadata == {"n": 10**30}
    assert Refusal.objects.get().line == 8

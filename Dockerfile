# One image for web, worker and beat; docker-compose.yml says which of them it becomes.

FROM python:3.13-slim AS packages
COPY requirements/uv.txt requirements/prod.txt /requirements/
RUN python -m venv /packages \
 && pip install --no-cache-dir --require-hashes -r /requirements/uv.txt \
 && VIRTUAL_ENV=/packages uv pip install --no-cache --require-hashes -r /requirements/prod.txt

FROM python:3.13-slim
ENV PATH=/packages/bin:$PATH PYTHONUNBUFFERED=1 PRODUCTION=1
RUN useradd --uid 10001 --home-dir /app --shell /usr/sbin/nologin annotate \
 && install -d -o annotate -g annotate /data
WORKDIR /app
COPY --from=packages /packages /packages
COPY . .
# The stylesheets and scripts get their hashed names here. No setting given for it reaches the image.
RUN SECRET_KEY=$(python -c "import secrets; print(secrets.token_urlsafe(48))") PUBLIC_URL=https://build.invalid \
    ALLOWED_HOSTS=build.invalid DATABASE_URL=postgresql:///none REDIS_URL=redis://none STORAGE_URL=/data \
    python manage.py collectstatic --noinput -v 0 \
 && python -m compileall -q annotate labeling exports
USER annotate
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-m", "annotate.probe"]
# Without --preload: the processes must not inherit one connection pool.
CMD ["gunicorn", "annotate.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", \
     "--threads", "4", "--graceful-timeout", "20", "--no-control-socket", "--worker-tmp-dir", "/dev/shm", \
     "--access-logfile", "-"]
